package dev.belay.decision;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.util.List;
import java.util.Optional;

/**
 * The servers as the deciding node knows them: journal and reachability together. Advice for
 * placement, never proof.
 */
public record ClusterView(List<ServerView> servers) {
    public static final ClusterView EMPTY = new ClusterView(List.of());

    public ClusterView {
        servers = List.copyOf(servers);
    }

    public Optional<ServerView> server(ServerName name) {
        return servers.stream().filter(server -> server.name().equals(name)).findFirst();
    }

    /**
     * @param live admitted and not fenced
     * @param reachable a member of the cluster that answers
     * @param freeMiB memory that no VM has reserved
     */
    public record ServerView(
            ServerName name,
            Incarnation incarnation,
            boolean live,
            boolean reachable,
            int freeMiB,
            int memoryMiB) {}
}
