package dev.belay.cluster;

import dev.belay.model.ServerName;
import java.util.List;
import java.util.Optional;

/** The nodes of the cluster as every node's configuration names them; the same list everywhere. */
public record NodeDirectory(ServerName self, List<Node> nodes) {
    public enum Role {
        SERVER,
        WITNESS
    }

    /**
     * @param address on the cluster network
     * @param api URL of the admin endpoint, for people
     */
    public record Node(
            ServerName name, Role role, String address, int port, boolean voter, String api) {}

    public NodeDirectory {
        nodes = List.copyOf(nodes);
        if (nodes.stream().noneMatch(node -> node.name().equals(self))) {
            throw new IllegalArgumentException(
                    "Expected this node, '%s', in belay.cluster.nodes, but found %s"
                            .formatted(
                                    self,
                                    nodes.stream().map(node -> node.name().value()).toList()));
        }
        if (nodes.stream().map(Node::name).distinct().count() != nodes.size()) {
            throw new IllegalArgumentException(
                    "Expected each node's name once in belay.cluster.nodes, but some stand twice: "
                            + nodes.stream().map(node -> node.name().value()).toList());
        }
    }

    public Optional<Node> node(ServerName name) {
        return nodes.stream().filter(node -> node.name().equals(name)).findFirst();
    }

    public Node selfNode() {
        return node(self).orElseThrow();
    }

    public Optional<Node> at(String host) {
        return nodes.stream().filter(node -> node.address().equals(host)).findFirst();
    }

    public List<Node> servers() {
        return nodes.stream().filter(node -> node.role() == Role.SERVER).toList();
    }
}
