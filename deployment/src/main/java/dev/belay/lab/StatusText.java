package dev.belay.lab;

import com.fasterxml.jackson.databind.JsonNode;

/** A lab's status as it is printed. */
final class StatusText {
    private StatusText() {}

    static JsonNode json(LabStatus status) {
        var json = LabStore.JSON.createObjectNode().put("name", status.name());
        var nodes = json.putArray("nodes");
        for (var node : status.nodes()) {
            var entry =
                    nodes.addObject()
                            .put("name", node.name())
                            .put("role", node.role())
                            .put("state", node.state().word())
                            .put("api", node.api().toString())
                            .put("link", node.link().word())
                            .put("voter", node.voter())
                            .put("boots", node.boots())
                            .put("why", node.why());
            node.jvm().ifPresent(pid -> entry.put("pid", pid));
        }
        return json;
    }

    static String table(LabStatus status) {
        var text = new StringBuilder("Lab " + status.name() + "\n");
        var format = "  %-10s %-8s %-10s %-8s %-24s %s%n";
        text.append(format.formatted("NODE", "ROLE", "STATE", "LINK", "API", "").stripTrailing());
        for (var node : status.nodes()) {
            text.append('\n')
                    .append(
                            format.formatted(
                                            node.name(),
                                            node.role(),
                                            node.state().word(),
                                            node.link().word(),
                                            node.api(),
                                            node.why())
                                    .stripTrailing());
        }
        return text.toString();
    }
}
