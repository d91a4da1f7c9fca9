package dev.belay.decision;

import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How many servers went at once, as one node sees it: the network is likelier to fail than most of
 * them together (safety.md 16).
 *
 * @param vanished that went within the window, the lost one included
 * @param before those, and all that still answer
 */
public record Vanished(int vanished, int before) {

    /**
     * @param seen every server that there is
     * @param journal what the journal knows of them
     * @param now on the looker's own clock
     * @param together servers that vanish within this time of each other have vanished at once
     */
    public static Vanished with(
            ServerName lost,
            Map<ServerName, Presence> seen,
            Map<ServerName, ServerState> journal,
            Duration now,
            Duration together) {
        var since = Optional.ofNullable(seen.get(lost)).flatMap(Presence::missedSince).orElse(now);
        int vanished = 1;
        int answering = 0;
        for (var other : seen.entrySet()) {
            if (other.getKey().equals(lost)) {
                continue;
            }
            var missed = other.getValue().missedSince();
            if (missed.isEmpty()) {
                answering++;
            } else if (mayHaveVanished(journal.get(other.getKey()), other.getValue())
                    && missed.get().minus(since).abs().compareTo(together) <= 0) {
                vanished++;
            }
        }
        return new Vanished(vanished, vanished + answering);
    }

    /**
     * One that was fenced before this node ever saw it, or never joined, went long ago and says
     * nothing about this node's eyes.
     */
    private static boolean mayHaveVanished(@Nullable ServerState state, Presence seen) {
        return state instanceof ServerState.Live
                || (state instanceof ServerState.Known && seen.everUp());
    }
}
