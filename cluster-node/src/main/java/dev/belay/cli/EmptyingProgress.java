package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.cli.ApiClient.Answer;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Watches a server until nothing is on it any more, and tells on stderr what becomes of each VM.
 * The node that is asked may lag behind what was just ordered: nothing is concluded before it shows
 * that.
 *
 * @param restart was ordered, too
 */
record EmptyingProgress(
        Session session, String path, String name, boolean restart, Duration patience) {
    private static final Duration PAUSE = Duration.ofMillis(250);

    /** A VM that has left finds out within this time whether a second server takes it. */
    private static final Duration SEARCH = Duration.ofSeconds(5);

    Answer untilEmpty() throws InterruptedException {
        long start = System.nanoTime();
        Map<String, String> told = new LinkedHashMap<>();
        var seen = new HashSet<String>();
        boolean begun = false;
        while (true) {
            var answer = session.client().get(path);
            var maintenance = answer.body().path("maintenance");
            if (maintenance.isNull() && begun) {
                throw new CliException(
                        "The maintenance of server '%s' was ended by somebody else."
                                .formatted(name),
                        "See who did what: belay events");
            }
            begun |= !maintenance.isNull();
            var elapsed = Duration.ofNanos(System.nanoTime() - start);
            if (isAsOrdered(maintenance)) {
                told = tellChanges(told, left(maintenance), elapsed);
                seen.addAll(told.keySet());
                if (maintenance.path("empty").asBoolean()) {
                    return withThoseThatAreAlone(answer, seen);
                }
                if (staying(maintenance) == told.size()) {
                    throw held("Server '%s' is not empty".formatted(name), told);
                }
            }
            if (elapsed.compareTo(patience) >= 0) {
                throw held(
                        "Server '%s' is not empty after %d s".formatted(name, patience.toSeconds()),
                        told);
            }
            Thread.sleep(PAUSE);
        }
    }

    /** That the last VM has left is known before it is that nobody takes its second copy. */
    private Answer withThoseThatAreAlone(Answer empty, Set<String> left)
            throws InterruptedException {
        long start = System.nanoTime();
        var answer = empty;
        while (true) {
            var told = new HashSet<String>();
            answer.body()
                    .path("maintenance")
                    .path("unprotected")
                    .forEach(vm -> told.add(vm.asText()));
            boolean searching = false;
            for (var vm : left) {
                searching |= !told.contains(vm) && isAlone(vm);
            }
            if (!searching || System.nanoTime() - start >= SEARCH.toNanos()) {
                return answer;
            }
            Thread.sleep(PAUSE);
            answer = session.client().get(path);
        }
    }

    private boolean isAlone(String vm) throws InterruptedException {
        return session.client()
                .find(VmCommand.path(vm))
                .map(Answer::body)
                .filter(body -> body.path("level").asText().equals("SYSTEM"))
                .filter(body -> body.path("protection").asText().equals("DEGRADED"))
                .isPresent();
    }

    private boolean isAsOrdered(JsonNode maintenance) {
        return !maintenance.isNull() && (maintenance.path("restartVms").asBoolean() || !restart);
    }

    private static Map<String, String> left(JsonNode maintenance) {
        var left = new LinkedHashMap<String, String>();
        maintenance
                .path("remaining")
                .forEach(vm -> left.put(vm.path("vm").asText(), vm.path("why").asText()));
        return left;
    }

    private static long staying(JsonNode maintenance) {
        return maintenance
                .path("remaining")
                .valueStream()
                .filter(vm -> !vm.path("moves").asBoolean())
                .count();
    }

    private Map<String, String> tellChanges(
            Map<String, String> before, Map<String, String> now, Duration elapsed) {
        now.forEach((vm, why) -> {
            if (!why.equals(before.get(vm))) {
                tell(elapsed, vm + ": " + why);
            }
        });
        before.keySet().stream()
                .filter(vm -> !now.containsKey(vm))
                .forEach(vm -> tell(elapsed, vm + ": has left"));
        return now;
    }

    private void tell(Duration elapsed, String what) {
        session.err().println("%5.1f s  %s".formatted(elapsed.toMillis() / 1000.0, what));
        session.err().flush();
    }

    private CliException held(String what, Map<String, String> left) {
        return new CliException(
                "%s: %s."
                        .formatted(
                                what,
                                left.isEmpty()
                                        ? "the node that was asked shows nothing of it yet"
                                        : left.entrySet().stream()
                                                .map(vm -> vm.getKey() + ": " + vm.getValue())
                                                .collect(Collectors.joining("; "))),
                "It stays in maintenance: it gets no VMs, and those that can leave do. Look again with the same command; end it with: belay server activate "
                        + name);
    }
}
