package dev.belay.decision;

import dev.belay.model.Incarnation;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Optional;

/**
 * The servers as the deciding node knows them: journal and reachability together. Advice for
 * placement, never proof.
 *
 * @param disarming while automatic moves are switched off
 * @param claims of VMs that wait for room or soon will
 */
public record ClusterView(
        List<ServerView> servers, Optional<Disarming> disarming, List<Claim> claims) {
    public static final ClusterView EMPTY = new ClusterView(List.of());

    public ClusterView {
        servers = List.copyOf(servers);
        claims = List.copyOf(claims);
    }

    /** Armed, and nobody waits. */
    public ClusterView(List<ServerView> servers) {
        this(servers, Optional.empty(), List.of());
    }

    public Optional<ServerView> server(ServerName name) {
        return servers.stream().filter(server -> server.name().equals(name)).findFirst();
    }

    /** Whether what is on this server shall leave it. */
    public boolean isEmptied(ServerName name) {
        return server(name).filter(server -> server.maintenance().isPresent()).isPresent();
    }

    /**
     * @param live admitted and not fenced
     * @param reachable a member of the cluster that answers
     * @param quarantined lost so often that it gets no new VMs
     * @param frozen does not answer, and is not fenced because most servers do not
     * @param freeMiB memory that no VM has reserved
     * @param maintenance while it is to be empty
     * @param qemu empty: not told yet
     */
    public record ServerView(
            ServerName name,
            Incarnation incarnation,
            boolean live,
            boolean reachable,
            boolean quarantined,
            boolean frozen,
            int freeMiB,
            int memoryMiB,
            Optional<ServerState.Maintenance> maintenance,
            Optional<Qemu> qemu) {}

    /**
     * A VM that shall run and has no room yet.
     *
     * @param no servers that it cannot have now: they refused it, or it may not move there
     */
    public record Claim(
            VmName vm, int priority, int memoryMiB, Placement wish, List<ServerName> no) {
        public Claim {
            no = List.copyOf(no);
        }
    }
}
