package dev.belay.cli;

import dev.belay.cli.ApiClient.Answer;
import java.time.Duration;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Watches a VM until it stands where it shall, and tells each change on stderr. */
record Progress(Session session, String name, Duration patience) {
    private static final Duration PAUSE = Duration.ofMillis(250);

    /**
     * @param also what must be so of the VM, too
     */
    Answer until(Set<String> states, Predicate<Answer> also) throws InterruptedException {
        long start = System.nanoTime();
        var told = "";
        while (true) {
            var answer =
                    session.client()
                            .find(VmCommand.path(name))
                            .orElseThrow(() ->
                                    new CliException(
                                            "VM '%s' is not there any more.".formatted(name),
                                            "Somebody deleted it; see: belay events"));
            var now = answer.body().path("state").asText();
            var explanation =
                    (answer.current() ? "" : "(not current) ")
                            + answer.body().path("explanation").asText();
            // What the node only last knew may be over.
            if (states.contains(now) && also.test(answer) && answer.current()) {
                return answer;
            }
            var elapsed = Duration.ofNanos(System.nanoTime() - start);
            if (!explanation.equals(told)) {
                told = explanation;
                session.err()
                        .println(
                                "%5.1f s  %s: %s"
                                        .formatted(elapsed.toMillis() / 1000.0, now, explanation));
                session.err().flush();
            }
            if (elapsed.compareTo(patience) >= 0) {
                throw new CliException(
                        "Expected VM '%s' to be %s within %d s, but it is %s: %s"
                                .formatted(
                                        name,
                                        wished(states),
                                        patience.toSeconds(),
                                        now,
                                        explanation),
                        "It is still wished for. Look again with: belay vm show " + name);
            }
            Thread.sleep(PAUSE);
        }
    }

    /** The one that it is called by. */
    private static String wished(Set<String> states) {
        return Stream.of("Running", "Lockstep", "Stopped")
                .filter(states::contains)
                .findFirst()
                .orElseThrow();
    }
}
