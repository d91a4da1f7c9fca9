package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** The QMP that pairs need: look what is there, and take it away. Blocks, never without a limit. */
final class PairQmp {
    static final Duration LIMIT = Duration.ofSeconds(10);
    static final long POLL_MILLIS = 3;

    private final RunRight right;
    private final Supplier<@Nullable QmpClient> client;
    private final Duration limit;

    /**
     * @param client the replica's connection, which may change
     */
    PairQmp(RunRight right, Supplier<@Nullable QmpClient> client) {
        this(right, client, LIMIT);
    }

    private PairQmp(RunRight right, Supplier<@Nullable QmpClient> client, Duration limit) {
        this.right = right;
        this.client = client;
        this.limit = limit;
    }

    /** The same, which waits so long where nothing else is said. */
    PairQmp within(Duration newLimit) {
        return new PairQmp(right, client, newLimit);
    }

    private QmpClient client() {
        var now = client.get();
        if (now == null) {
            throw QmpException.of(
                    QmpException.Kind.NOT_SENT, "connect", "QEMU of " + right + " does not answer");
        }
        return now;
    }

    private JsonNode run(String command, ObjectNode arguments, Duration patience) {
        return Waiting.reply(client().execute(command, arguments, patience));
    }

    JsonNode run(String command, ObjectNode arguments) {
        return run(command, arguments, limit);
    }

    JsonNode run(String command) {
        return run(command, QmpClient.arguments());
    }

    JsonNode outOfBand(String command, ObjectNode arguments) {
        return Waiting.reply(client().executeOutOfBand(command, arguments, LIMIT));
    }

    /** What QEMU refuses is not there any more, or not yet. */
    boolean tried(String command, ObjectNode arguments, Duration patience) {
        try {
            run(command, arguments, patience);
            return true;
        } catch (QmpException e) {
            if (e.kind() != QmpException.Kind.REFUSED) {
                throw e;
            }
            return false;
        }
    }

    /** Cuts connections at once, even while QEMU's main loop waits for one of them. */
    void yank(Predicate<JsonNode> which) {
        var arguments = QmpClient.arguments();
        var instances = arguments.putArray("instances");
        for (var instance : outOfBand("query-yank", QmpClient.arguments())) {
            if (which.test(instance)) {
                instances.add(instance);
            }
        }
        if (!instances.isEmpty()) {
            outOfBand("yank", arguments);
        }
    }

    /** Each block node's children: name of the child there, name of its node. */
    Map<String, Map<String, String>> nodes() {
        var found = new HashMap<String, Map<String, String>>();
        for (var node : run("query-named-block-nodes", QmpClient.arguments().put("flat", true))) {
            var children = new TreeMap<String, String>();
            for (var child : node.path("children")) {
                children.put(child.path("child").asText(), child.path("node-name").asText());
            }
            found.put(node.path("node-name").asText(), children);
        }
        return found;
    }

    /**
     * Whether a secondary that took over has written the disk's overlays back, and its guest writes
     * into the leg from now on. QEMU lists no job for it; the graph is the only sign.
     */
    static boolean isWrittenBack(Map<String, Map<String, String>> nodes, int k) {
        var chain = nodes.get("childs" + k);
        return chain == null || List.copyOf(chain.values()).equals(List.of(PairCommand.parent(k)));
    }

    long size(String node) {
        for (var one : run("query-named-block-nodes", QmpClient.arguments().put("flat", true))) {
            if (one.path("node-name").asText().equals(node)) {
                return one.path("image").path("virtual-size").asLong();
            }
        }
        throw QmpException.of(
                QmpException.Kind.NOT_SENT, "query-named-block-nodes", "there is no node " + node);
    }

    void deleteNodes(List<String> names) {
        var present = nodes();
        each("blockdev-del", "node-name", names.stream().filter(present::containsKey));
    }

    void reopen(int k, String below) {
        var arguments = QmpClient.arguments();
        arguments
                .putArray("options")
                .addObject()
                .put("driver", "raw")
                .put("node-name", QemuCommand.vd(k))
                .put("file", below);
        run("blockdev-reopen", arguments);
    }

    /** Where each leads. */
    static Map<String, String> chardevs(JsonNode reply) {
        var found = new HashMap<String, String>();
        reply.forEach(one -> found.put(one.path("label").asText(), one.path("filename").asText()));
        return found;
    }

    Map<String, String> chardevs() {
        return chardevs(run("query-chardev"));
    }

    void removeChardevs(List<String> ids) {
        var present = chardevs();
        each("chardev-remove", "id", ids.stream().filter(present::containsKey));
    }

    boolean hasObject(String id) {
        return objects().contains(id);
    }

    private List<String> objects() {
        return StreamSupport.stream(
                        run("qom-list", QmpClient.arguments().put("path", "/objects"))
                                .spliterator(),
                        false)
                .map(object -> object.path("name").asText())
                .toList();
    }

    void removeObjects(List<String> ids) {
        var present = objects();
        each("object-del", "id", ids.stream().filter(present::contains));
    }

    /** In this order, but without waiting for one answer before the next is asked. */
    private void each(String command, String key, Stream<String> names) {
        var connection = client();
        names.map(name -> connection.execute(command, QmpClient.arguments().put(key, name), limit))
                .toList()
                .forEach(Waiting::reply);
    }

    Map<String, JsonNode> jobs() {
        var found = new HashMap<String, JsonNode>();
        run("query-jobs").forEach(job -> found.put(job.path("id").asText(), job));
        return found;
    }

    /** {@code none} when there was none. */
    String migration() {
        var status = run("query-migrate").path("status").asText();
        return status.isEmpty() ? "none" : status;
    }

    String status() {
        return run("query-status").path("status").asText();
    }

    void capabilities(boolean state, String... names) {
        var arguments = QmpClient.arguments();
        var list = arguments.putArray("capabilities");
        for (var name : names) {
            list.addObject().put("capability", name).put("state", state);
        }
        run("migrate-set-capabilities", arguments);
    }

    /** False when it does not come true in time. */
    static boolean await(Duration limit, BooleanSupplier condition) {
        for (var end = System.nanoTime() + limit.toNanos(); ; ) {
            if (condition.getAsBoolean()) {
                return true;
            }
            if (System.nanoTime() > end || !Waiting.millis(POLL_MILLIS)) {
                return false;
            }
        }
    }
}
