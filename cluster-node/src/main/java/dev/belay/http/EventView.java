package dev.belay.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.cluster.JournalFeed.Entry;
import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.VmEvent;
import java.time.Instant;
import java.util.Optional;

/**
 * One stored event as the API shows it.
 *
 * @param entity the persistence id, like {@code vm|web}
 * @param kind what it happened to, {@code vm}, {@code server} or {@code cluster}
 * @param name which one
 * @param event its fields, and {@code type}: its record's name
 */
record EventView(
        long offset,
        String entity,
        String kind,
        String name,
        long sequenceNr,
        Optional<Instant> at,
        ObjectNode event) {

    static EventView of(Entry entry) {
        var id = entry.persistenceId();
        int bar = id.indexOf('|');
        return new EventView(
                entry.offset(),
                id,
                bar < 0 ? "" : id.substring(0, bar),
                id.substring(bar + 1),
                entry.sequenceNr(),
                at(entry.event()),
                body(entry.event()));
    }

    private static Optional<Instant> at(Object event) {
        return switch (event) {
            case VmEvent e -> Optional.of(e.at());
            case ServerEvent e -> Optional.of(e.at());
            case ClusterEvent e -> Optional.of(e.at());
            case Object _ -> Optional.empty();
        };
    }

    private static ObjectNode body(Object event) {
        var node = Json.MAPPER.createObjectNode();
        node.put("type", event.getClass().getSimpleName());
        var fields = Json.MAPPER.<JsonNode>valueToTree(event);
        if (fields.isObject()) {
            node.setAll((ObjectNode) fields);
        } else {
            node.set("value", fields);
        }
        return node;
    }
}
