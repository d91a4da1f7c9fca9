package dev.belay.server;

import dev.belay.cluster.LeaseKeeper;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.Tenure;
import dev.belay.decision.TenureCommand;
import dev.belay.decision.TenureInput;
import dev.belay.decision.TenureState;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmInput;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.FloorFiles;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.replica.LockstepFigures;
import dev.belay.replica.PairHeartbeats;
import dev.belay.replica.ReplicaActor;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * This machine as a server: asks {@link Tenure} how to hold its incarnation, keeps its lease, and
 * passes orders to its replicas. One per node with role server, at a well-known path. After a crash
 * of the process it adopts what runs; when the journal has fenced it, it kills everything, says so
 * and asks for the next incarnation.
 */
public final class ServerNode extends AbstractBehavior<ServerNode.Message> {
    /** Child of the guardian, so that any node can address it without a registry. */
    public static final String ACTOR_NAME = "server";

    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

    public sealed interface Message {}

    /** From a VM's entity. */
    public record Order(VmAction action) implements Message {}

    /** From this server's entity. */
    public record Welcome(ServerState.Server admitted) implements Message {}

    public record MustClean(Incarnation upTo, boolean fenced) implements Message {}

    /** From this server's entity: it is not admitted as it is. */
    public record Refused(String why) implements Message {}

    /** May this spec run here? */
    public record Check(VmSpec spec, ActorRef<Checked> replyTo) implements Message {}

    /**
     * @param problems in sentences; empty: it may
     */
    public record Checked(List<String> problems) {}

    /** What does lockstep cost this VM, which runs here first? */
    public record Measure(VmName vm, ActorRef<Measured> replyTo) implements Message {}

    /**
     * @param figures empty: it does not run in lockstep here, or was not looked at yet
     */
    public record Measured(Optional<LockstepFigures> figures) {}

    record AskAgain() implements Message {}

    record Adopted(List<ReplicaStatus> found, Optional<Throwable> failure) implements Message {}

    record Cleaned(Optional<Throwable> failure) implements Message {}

    /**
     * From another server: {@code from} is there, for its partner {@code to} here.
     *
     * @param hears whether it has heard that one
     */
    public record PairBeat(RunRight from, RunRight to, boolean hears) implements Message {}

    /**
     * From another server: does {@code to} here vouch for {@code from} there? That lives by it for
     * a lease from {@code asked} on, which is a time on its own clock.
     */
    public record PairAsks(RunRight from, RunRight to, long asked) implements Message {}

    /** The answer, when it is yes: {@code from} vouches for {@code to} here. */
    public record PairVouches(RunRight from, RunRight to, long asked) implements Message {}

    /** From another server, whose process starts anew and leaves {@code from} alive. */
    public record PairRests(RunRight from, RunRight to) implements Message {}

    record Happened(ReplicaEvent event) implements Message {}

    record LeaseRefused(Incarnation incarnation) implements Message {}

    /**
     * What the node is made of.
     *
     * @param found what {@link Hypervisor#adopt} found when the process came up
     * @param join sends to this server's entity
     * @param entities sends to a VM's entity
     * @param peers sends to the actor of another server, best effort
     * @param pairSilence how long the other server of a pair may be silent until it is asked who
     *     goes on
     * @param memoryMiB for guests
     * @param terms of the leases that {@code lease} asks for
     */
    public record Parts(
            Hypervisor hypervisor,
            CompletionStage<List<ReplicaStatus>> found,
            LeaseKeeper lease,
            IncarnationFile file,
            FloorFiles floors,
            String bootId,
            int memoryMiB,
            LeaseTerms terms,
            Consumer<ServerInput.Join> join,
            BiConsumer<VmName, VmInput> entities,
            BiConsumer<ServerName, Message> peers,
            Duration pairSilence) {}

    private final Parts parts;
    private final Map<VmName, ActorRef<ReplicaActor.Message>> replicas = new HashMap<>();

    /** News of replicas that were not found yet. */
    private final List<ReplicaEvent> early = new ArrayList<>();

    private final ActorRef<PairHeartbeats.Message> heartbeats;
    private boolean looking = true;
    private String refusal = "";
    private TenureState state;

    public static Behavior<Message> create(Parts parts) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new ServerNode(context, timers, parts)));
    }

    private ServerNode(ActorContext<Message> context, TimerScheduler<Message> timers, Parts parts) {
        super(context);
        context.setLoggerName(ServerNode.class);
        this.parts = parts;
        var saved = parts.file().read();
        this.state =
                new TenureState.Adopting(
                        saved.map(IncarnationFile.Saved::incarnation).orElse(Incarnation.NONE),
                        saved.map(IncarnationFile.Saved::clean).orElse(false),
                        saved.filter(s -> !s.bootId().equals(parts.bootId())).isPresent());
        var self = context.getSelf();
        parts.hypervisor().observe(event -> self.tell(new Happened(event)));
        parts.lease().onFenced(incarnation -> self.tell(new LeaseRefused(incarnation)));
        this.heartbeats =
                context.spawn(
                        PairHeartbeats.create(
                                parts.pairSilence(),
                                words(),
                                event -> {
                                    parts.hypervisor().partnerSilent(event.right());
                                    self.tell(new Happened(event));
                                }),
                        "pairs");
        look(parts.found());
        timers.startTimerWithFixedDelay(new AskAgain(), ASK_AGAIN);
    }

    private PairHeartbeats.Words words() {
        return new PairHeartbeats.Words() {
            @Override
            public void beat(RunRight own, RunRight partner, boolean hears) {
                parts.peers().accept(partner.server(), new PairBeat(own, partner, hears));
            }

            @Override
            public void ask(RunRight own, RunRight partner) {
                parts.peers()
                        .accept(partner.server(), new PairAsks(own, partner, parts.lease().now()));
            }

            @Override
            public void rest(RunRight own, RunRight partner) {
                parts.peers().accept(partner.server(), new PairRests(own, partner));
            }
        };
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Order(var action) -> decide(new TenureInput.Ordered(action));
            case Welcome(var admitted) -> welcome(admitted);
            case MustClean(var upTo, var fenced) -> decide(new TenureInput.MustClean(upTo, fenced));
            case Refused(var why) -> refused(why);
            case Check(var spec, var replyTo) -> check(spec, replyTo);
            case Measure(var vm, var replyTo) ->
                    replyTo.tell(
                            new Measured(
                                    parts.hypervisor().lockstep().stream()
                                            .filter(figures -> figures.vm().equals(vm))
                                            .findFirst()));
            case AskAgain() -> decide(new TenureInput.Tick());
            case Adopted adoption -> adopted(adoption);
            case Cleaned(var failure) -> cleaned(failure);
            case PairBeat(var from, var to, var hears) ->
                    heartbeats.tell(new PairHeartbeats.Heard(from, to, hears));
            case PairRests(var from, var to) -> heartbeats.tell(new PairHeartbeats.Rests(from, to));
            case PairAsks(var from, var to, var asked) -> {
                if (holds(to) && parts.hypervisor().vouchesFor(to, from)) {
                    parts.peers().accept(from.server(), new PairVouches(to, from, asked));
                }
            }
            case PairVouches(var from, var to, var asked) -> {
                if (holds(to)) {
                    parts.hypervisor().extendByPartner(to, from, parts.lease().until(asked));
                }
            }
            case Happened(var event) -> happened(event);
            case LeaseRefused(var incarnation) -> decide(new TenureInput.LeaseRefused(incarnation));
        }
        return this;
    }

    /** Its incarnation was not refused, for all that is known here, nor are the terms new. */
    private boolean holds(RunRight right) {
        return parts.lease().held().equals(right.incarnation());
    }

    /** False: it could not be carried out, and is as if it had not come. */
    private boolean decide(TenureInput input) {
        var turn = Tenure.decide(state, input);
        try {
            turn.commands().forEach(this::carryOut);
        } catch (RuntimeException e) {
            getContext().getLog().error("{} is not done; it is tried again", input, e);
            return false;
        }
        if (!turn.state().equals(state)) {
            getContext().getLog().info("{} on {} -> {}", input, state, turn.state());
        }
        state = turn.state();
        return true;
    }

    private void carryOut(TenureCommand command) {
        switch (command) {
            case TenureCommand.Keep(var incarnation, var clean) ->
                    parts.file()
                            .write(new IncarnationFile.Saved(parts.bootId(), incarnation, clean));
            case TenureCommand.HoldLease(var incarnation) -> parts.lease().hold(incarnation);
            case TenureCommand.Join(var holding, var clean) ->
                    parts.join()
                            .accept(
                                    new ServerInput.Join(
                                            parts.bootId(),
                                            parts.memoryMiB(),
                                            holding,
                                            clean,
                                            parts.terms(),
                                            parts.hypervisor().qemu()));
            case TenureCommand.Adopt() -> {
                if (!looking) {
                    look(parts.hypervisor().adopt());
                }
            }
            case TenureCommand.Clean(var upTo) -> clean(upTo);
            case TenureCommand.Pass(var order) -> pass(order);
        }
    }

    /**
     * One that is on its way for long may be for an earlier boot, or an earlier process whose
     * leases were shorter; and another machine may answer to this one's name.
     */
    private void welcome(ServerState.Server admitted) {
        if (admitted.admits(parts.bootId(), parts.terms())) {
            decide(new TenureInput.Welcome(admitted.incarnation()));
        } else {
            getContext().getLog().info("a welcome as {} is not for this process", admitted);
        }
    }

    /** It asks every second; it is told once. */
    private void refused(String why) {
        if (!why.equals(refusal)) {
            refusal = why;
            getContext().getLog().error("this server is not admitted: {}", why);
        }
    }

    private void look(CompletionStage<List<ReplicaStatus>> found) {
        looking = true;
        getContext()
                .pipeToSelf(
                        found,
                        (statuses, failure) ->
                                new Adopted(
                                        statuses == null ? List.of() : statuses,
                                        Optional.ofNullable(failure)));
    }

    private void adopted(Adopted adoption) {
        looking = false;
        if (adoption.failure().isPresent()) {
            getContext()
                    .getLog()
                    .error(
                            "could not look for running replicas; tries again",
                            adoption.failure().get());
            return;
        }
        for (var status : adoption.found()) {
            getContext()
                    .getLog()
                    .info(
                            "found {} {}: {}",
                            status.right(),
                            status.running() ? "running" : "ended",
                            status.detail());
            tell(status.right().vm(), new ReplicaActor.Found(status));
        }
        early.forEach(event -> tell(event.right().vm(), new ReplicaActor.Happened(event)));
        early.clear();
        decide(new TenureInput.Adopted());
    }

    private void happened(ReplicaEvent event) {
        if (state instanceof TenureState.Adopting) {
            early.add(event);
        } else {
            tell(event.right().vm(), new ReplicaActor.Happened(event));
        }
    }

    private void check(VmSpec spec, ActorRef<Checked> replyTo) {
        parts.hypervisor()
                .check(spec)
                .whenComplete((problems, failure) ->
                        replyTo.tell(
                                new Checked(
                                        problems != null
                                                ? problems
                                                : List.of(String.valueOf(failure)))));
    }

    private void clean(Incarnation upTo) {
        getContext()
                .getLog()
                .warn(
                        "killing whatever {} or an earlier life left here before asking for the next one",
                        upTo);
        replicas.values().forEach(getContext()::stop);
        replicas.clear();
        heartbeats.tell(new PairHeartbeats.LetGoAll());
        getContext()
                .pipeToSelf(
                        parts.hypervisor().clean(),
                        (_, failure) -> new Cleaned(Optional.ofNullable(failure)));
    }

    private void cleaned(Optional<Throwable> failure) {
        failure.ifPresent(why ->
                getContext()
                        .getLog()
                        .error("could not kill everything that ran here; tries again", why));
        if (failure.isPresent() || !decide(new TenureInput.CleanDone())) {
            decide(new TenureInput.CleanFailed());
        }
    }

    private void pass(VmAction order) {
        switch (order) {
            case VmAction.StartReplica(var right, var spec) ->
                    tell(right.vm(), new ReplicaActor.Start(right, spec, parts.lease().isLive()));
            case VmAction.StopReplica(var right, var kill) ->
                    tell(right.vm(), new ReplicaActor.Stop(right, kill));
            case VmAction.Confirm(var right, var level) -> {
                tell(right.vm(), new ReplicaActor.Confirm(right, Optional.empty()));
                parts.hypervisor().levelIs(right, level);
            }
            case VmAction.ConfirmLockstep(var right, var partner) ->
                    tell(right.vm(), new ReplicaActor.Confirm(right, Optional.of(partner)));
            case VmAction.PrepareSecondary(var secondary, var primary, var spec) ->
                    tell(
                            secondary.vm(),
                            new ReplicaActor.Prepare(
                                    secondary, primary, spec, parts.lease().isLive()));
            case VmAction.AwaitLockstep(var secondary, var primary) ->
                    tell(secondary.vm(), new ReplicaActor.AwaitLockstep(secondary, primary));
            case VmAction.RaisePair(var primary, var secondary, var at) ->
                    tell(primary.vm(), new ReplicaActor.RaisePair(primary, secondary, at));
            case VmAction.PassCheckpoint(var primary, var secondary, var asked) ->
                    parts.hypervisor()
                            .passCheckpoint(primary, secondary)
                            .whenComplete((_, _) ->
                                    parts.entities()
                                            .accept(
                                                    primary.vm(),
                                                    new VmInput.HandOver(
                                                            primary, secondary, asked)));
            case VmAction.GoSolo(var winner, var loser) ->
                    tell(winner.vm(), new ReplicaActor.GoSolo(winner, loser));
            case VmAction.Reserve _,
                    VmAction.Release _,
                    VmAction.AskStanding _,
                    VmAction.WakeAfter _,
                    VmAction.OutliveAfter _,
                    VmAction.InsistAfter _,
                    VmAction.OverdueAfter _,
                    VmAction.HandOverAfter _,
                    VmAction.SettleAfter _ ->
                    throw new IllegalStateException(
                            "Expected an order for a server, but got " + order);
        }
    }

    private void tell(VmName vm, ReplicaActor.Message message) {
        replicas.computeIfAbsent(vm, this::spawn).tell(message);
    }

    /** Where it cannot be read nothing starts; what runs is watched and ended as ever. */
    private Epoch floor(VmName vm) {
        try {
            return parts.floors().read(vm);
        } catch (UncheckedIOException e) {
            getContext().getLog().error("{} starts here no more: {}", vm, e.getMessage(), e);
            return new Epoch(Long.MAX_VALUE);
        }
    }

    private ActorRef<ReplicaActor.Message> spawn(VmName vm) {
        return getContext()
                .spawn(
                        ReplicaActor.create(
                                vm,
                                floor(vm),
                                parts.hypervisor(),
                                parts.floors(),
                                heartbeats,
                                news -> parts.entities().accept(vm, news)),
                        "replica-" + vm + "-" + System.nanoTime(),
                        DispatcherSelector.blocking());
    }
}
