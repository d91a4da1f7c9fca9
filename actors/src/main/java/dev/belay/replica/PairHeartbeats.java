package dev.belay.replica;

import dev.belay.cluster.TakenOut;
import dev.belay.decision.PairSilence;
import dev.belay.decision.ReplicaState.Bonded;
import dev.belay.model.RunRight;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * The halves of this server's pairs and those on other servers hear from each other a few times in
 * each silence that is borne. One that hears nothing any more closes its output and asks; who goes
 * on, the journal says. It never waits for a disk.
 *
 * <pre>
 *  the one that leads                        the one that follows, mute until then
 *  Hold ------------ "I am there" ---------&gt; hears
 *  hears &lt;------ "I am there and hear you" --
 *        ------- "I am there and hear you" -&gt; both hear
 * </pre>
 */
public final class PairHeartbeats extends AbstractBehavior<PairHeartbeats.Message> {
    private static final int BEATS_IN_SILENCE = 6;

    /** More often than a lease is renewed; each answer is work for the leashes and the kernel. */
    private static final int LOOKS_PER_QUESTION = BEATS_IN_SILENCE;

    /**
     * So many times that silence the first word may take: nodes that did not hear each other for a
     * while connect some seconds after they could. QEMU's own connections tell of most losses
     * meanwhile, and lockstep is not stored.
     */
    private static final int UNTIL_FIRST_WORD = 15;

    public sealed interface Message {}

    /**
     * From now on.
     *
     * @param patient about the first word: it was raised a moment ago, or an earlier process that
     *     was to start anew kept it, and the other one may do the same. Any other that was found
     *     running may have been parted from the other one already: it bears no longer silence than
     *     ever
     */
    public record Hold(Bonded bond, boolean patient) implements Message {}

    public record LetGo(RunRight own) implements Message {}

    /** Nothing is held here any more. */
    public record LetGoAll() implements Message {}

    /**
     * From another server: {@code from} is there.
     *
     * @param hears {@code to}, too
     */
    public record Heard(RunRight from, RunRight to, boolean hears) implements Message {}

    /** {@code then}, once, as soon as each of the two has heard the other one. */
    public record WhenBothHear(RunRight own, RunRight partner, Runnable then) implements Message {}

    /**
     * From another server: the process of {@code from}'s node starts anew and leaves that one
     * alive. Its next word may take as long as a first one.
     */
    public record Rests(RunRight from, RunRight to) implements Message {}

    /** This node's process does. */
    record StartsAnew() implements Message {}

    record Look() implements Message {}

    /** What goes to the server of the partner, best effort. */
    public interface Words {
        /** That this one is there, and whether it hears the partner. */
        void beat(RunRight own, RunRight partner, boolean hears);

        /** Whether the partner vouches for this one. */
        void ask(RunRight own, RunRight partner);

        /** That nothing will be heard of this one while its node's process starts anew. */
        void rest(RunRight own, RunRight partner);
    }

    /**
     * @param patient as of {@link Hold}
     * @param hears that it was heard; before that the other one may not run in lockstep yet, or not
     *     be connected yet
     * @param heard that the other one says so
     * @param rests it was heard, and said that it would not be for a while
     * @param then what waits until both do
     */
    private record Pair(
            Bonded bond,
            boolean patient,
            PairSilence silence,
            boolean hears,
            boolean heard,
            boolean rests,
            Runnable then) {
        static Pair of(Bonded bond, boolean patient) {
            return new Pair(bond, patient, PairSilence.from(now()), false, false, false, NOTHING);
        }

        Duration borne(Duration limit) {
            return patient && !hears ? limit.multipliedBy(UNTIL_FIRST_WORD) : limit;
        }

        boolean isWith(RunRight partner) {
            return bond.partner().equals(partner);
        }

        boolean speaks() {
            return bond.leads() || hears || rests;
        }

        boolean bothHear() {
            return hears && heard;
        }

        Pair heard(boolean hearsUs) {
            return new Pair(
                    bond,
                    patient,
                    hears ? silence.heardAt(now()) : PairSilence.from(now()),
                    true,
                    heard || hearsUs,
                    false,
                    then);
        }

        Pair resting() {
            return new Pair(
                    bond, true, PairSilence.from(now()), false, heard, rests || hears, then);
        }

        Pair with(PairSilence next) {
            return new Pair(bond, patient, next, hears, heard, rests, then);
        }

        Pair with(Runnable next) {
            return new Pair(bond, patient, silence, hears, heard, rests, next);
        }
    }

    private static final Runnable NOTHING = () -> {};

    private final Duration limit;
    private final Words words;
    private final Consumer<ReplicaEvent> lost;
    private final Map<RunRight, Pair> pairs = new HashMap<>();
    private int looks;

    /**
     * @param limit of silence that is borne
     * @param lost is told who fell silent
     */
    public static Behavior<Message> create(
            Duration limit, Words words, Consumer<ReplicaEvent> lost) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> {
                    timers.startTimerAtFixedRate(new Look(), limit.dividedBy(BEATS_IN_SILENCE));
                    return new PairHeartbeats(context, limit, words, lost);
                }));
    }

    private PairHeartbeats(
            ActorContext<Message> context,
            Duration limit,
            Words words,
            Consumer<ReplicaEvent> lost) {
        super(context);
        context.setLoggerName(PairHeartbeats.class);
        this.limit = limit;
        this.words = words;
        this.lost = lost;
        var self = context.messageAdapter(TakenOut.class, _ -> new StartsAnew());
        context.getSystem().eventStream().tell(new EventStream.Subscribe<>(TakenOut.class, self));
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Hold(var bond, var patient) -> hold(bond, patient);
            case LetGo(var own) -> pairs.remove(own);
            case LetGoAll() -> pairs.clear();
            case Heard(var from, var to, var hears) ->
                    pairs.computeIfPresent(
                            to, (_, pair) -> pair.isWith(from) ? heard(pair, hears) : pair);
            case WhenBothHear(var own, var partner, var then) ->
                    pairs.computeIfPresent(
                            own, (_, pair) -> pair.isWith(partner) ? told(pair.with(then)) : pair);
            case Rests(var from, var to) ->
                    pairs.computeIfPresent(
                            to, (_, pair) -> pair.isWith(from) ? pair.resting() : pair);
            case StartsAnew() -> {
                pairs.values()
                        .forEach(pair -> words.rest(pair.bond().own(), pair.bond().partner()));
                // One more beat, and silence would count again.
                pairs.clear();
            }
            case Look() -> {
                looks++;
                pairs.replaceAll((_, pair) -> look(pair));
            }
        }
        return this;
    }

    private void hold(Bonded bond, boolean patient) {
        var known = pairs.get(bond.own());
        if (known == null || !known.isWith(bond.partner())) {
            var pair = Pair.of(bond, patient);
            pairs.put(bond.own(), pair);
            speak(pair);
        }
    }

    /** The first word is answered at once: lockstep waits for it. */
    private Pair heard(Pair pair, boolean hearsUs) {
        var next = pair.heard(hearsUs);
        if (!pair.hears()) {
            speak(next);
        }
        return told(next);
    }

    private static Pair told(Pair pair) {
        if (!pair.bothHear()) {
            return pair;
        }
        pair.then().run();
        return pair.with(NOTHING);
    }

    private void speak(Pair pair) {
        if (pair.speaks()) {
            words.beat(pair.bond().own(), pair.bond().partner(), pair.hears());
        }
    }

    private Pair look(Pair pair) {
        if (!pair.speaks()) {
            return pair;
        }
        speak(pair);
        var bond = pair.bond();
        var borne = pair.borne(limit);
        var look = pair.silence().look(now(), borne);
        if (!look.next().told() && looks % LOOKS_PER_QUESTION == 0) {
            words.ask(bond.own(), bond.partner());
        }
        if (look.silent()) {
            silent(bond, borne);
        }
        return pair.with(look.next());
    }

    private void silent(Bonded bond, Duration borne) {
        getContext()
                .getLog()
                .warn(
                        "{} hears nothing of {} for {} ms and asks whether it goes on alone",
                        bond.own(),
                        bond.partner(),
                        borne.toMillis());
        lost.accept(
                new ReplicaEvent.PartnerLost(
                        bond.own(),
                        bond.partner(),
                        "nothing was heard of it for %d ms".formatted(borne.toMillis())));
    }

    /** Never jumps. */
    private static Duration now() {
        return Duration.ofNanos(System.nanoTime());
    }
}
