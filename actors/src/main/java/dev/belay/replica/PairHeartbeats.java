package dev.belay.replica;

import dev.belay.decision.PairSilence;
import dev.belay.decision.ReplicaState.Bonded;
import dev.belay.model.RunRight;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * The halves of this server's pairs and those on other servers hear from each other a few times in
 * each silence that is borne. One that hears nothing closes its output and asks; who goes on, the
 * journal says. It never waits for a disk.
 */
public final class PairHeartbeats extends AbstractBehavior<PairHeartbeats.Message> {
    private static final int BEATS_IN_SILENCE = 6;

    /** More often than a lease is renewed; each answer is work for the leashes and the kernel. */
    private static final int LOOKS_PER_QUESTION = BEATS_IN_SILENCE;

    public sealed interface Message {}

    /** From now on. */
    public record Hold(Bonded bond) implements Message {}

    public record LetGo(RunRight own) implements Message {}

    /** Nothing is held here any more. */
    public record LetGoAll() implements Message {}

    /** From another server: {@code from} is there. */
    public record Heard(RunRight from, RunRight to) implements Message {}

    record Look() implements Message {}

    /**
     * @param silence empty: nothing was heard of the other one yet, which may not run in lockstep
     */
    private record Pair(Bonded bond, @Nullable PairSilence silence) {}

    private final Duration limit;
    private final BiConsumer<RunRight, RunRight> beat;
    private final BiConsumer<RunRight, RunRight> ask;
    private final Consumer<ReplicaEvent> lost;
    private final Map<RunRight, Pair> pairs = new HashMap<>();
    private int looks;

    /**
     * @param limit of silence that is borne
     * @param beat tells the server of its second argument that the first one is there
     * @param ask asks the server of its second argument to vouch for the first one
     * @param lost is told who fell silent
     */
    public static Behavior<Message> create(
            Duration limit,
            BiConsumer<RunRight, RunRight> beat,
            BiConsumer<RunRight, RunRight> ask,
            Consumer<ReplicaEvent> lost) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> {
                    timers.startTimerAtFixedRate(new Look(), limit.dividedBy(BEATS_IN_SILENCE));
                    return new PairHeartbeats(context, limit, beat, ask, lost);
                }));
    }

    private PairHeartbeats(
            ActorContext<Message> context,
            Duration limit,
            BiConsumer<RunRight, RunRight> beat,
            BiConsumer<RunRight, RunRight> ask,
            Consumer<ReplicaEvent> lost) {
        super(context);
        context.setLoggerName(PairHeartbeats.class);
        this.limit = limit;
        this.beat = beat;
        this.ask = ask;
        this.lost = lost;
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Hold(var bond) -> hold(bond);
            case LetGo(var own) -> pairs.remove(own);
            case LetGoAll() -> pairs.clear();
            case Heard(var from, var to) ->
                    pairs.computeIfPresent(
                            to,
                            (_, pair) -> pair.bond().partner().equals(from) ? heard(pair) : pair);
            case Look() -> {
                looks++;
                pairs.replaceAll((_, pair) -> look(pair));
            }
        }
        return this;
    }

    private void hold(Bonded bond) {
        var known = pairs.get(bond.own());
        if (known == null || !known.bond().partner().equals(bond.partner())) {
            pairs.put(bond.own(), new Pair(bond, bond.leads() ? PairSilence.from(now()) : null));
        }
    }

    private static Pair heard(Pair pair) {
        var silence = pair.silence();
        return new Pair(
                pair.bond(), silence == null ? PairSilence.from(now()) : silence.heardAt(now()));
    }

    private Pair look(Pair pair) {
        if (pair.silence() == null) {
            return pair;
        }
        var bond = pair.bond();
        beat.accept(bond.own(), bond.partner());
        var look = pair.silence().look(now(), limit);
        if (!look.next().told() && looks % LOOKS_PER_QUESTION == 0) {
            ask.accept(bond.own(), bond.partner());
        }
        if (look.silent()) {
            getContext()
                    .getLog()
                    .warn(
                            "{} hears nothing of {} for {} ms and asks whether it goes on alone",
                            bond.own(),
                            bond.partner(),
                            limit.toMillis());
            lost.accept(
                    new ReplicaEvent.PartnerLost(
                            bond.own(),
                            bond.partner(),
                            "nothing was heard of it for %d ms".formatted(limit.toMillis())));
        }
        return new Pair(bond, look.next());
    }

    /** Never jumps. */
    private static Duration now() {
        return Duration.ofNanos(System.nanoTime());
    }
}
