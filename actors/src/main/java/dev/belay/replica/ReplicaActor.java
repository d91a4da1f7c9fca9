package dev.belay.replica;

import dev.belay.decision.ReplicaCommand;
import dev.belay.decision.ReplicaInput;
import dev.belay.decision.ReplicaLife;
import dev.belay.decision.ReplicaState;
import dev.belay.decision.ReplicaState.Bonded;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmInput.Cause;
import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.replica.Hypervisor.StopMode;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * One VM's replica on this server: asks {@link ReplicaLife} and carries out what it says. Of what
 * it knows only the floor survives the process; the rest comes from what the hypervisor found
 * running. It waits for the disk, so it runs on threads for that.
 */
public final class ReplicaActor extends AbstractBehavior<ReplicaActor.Message> {
    public sealed interface Message {}

    public record Start(RunRight right, VmSpec spec, boolean leaseLive) implements Message {}

    public record Stop(RunRight right, boolean kill) implements Message {}

    public record Prepare(RunRight secondary, RunRight primary, VmSpec spec, boolean leaseLive)
            implements Message {}

    public record AwaitLockstep(RunRight secondary, RunRight primary) implements Message {}

    public record RaisePair(RunRight primary, RunRight secondary, PairAddress at)
            implements Message {}

    public record GoSolo(RunRight winner, RunRight loser) implements Message {}

    /**
     * @param lockstep with whom it is in lockstep, as the journal says
     */
    public record Confirm(RunRight right, Optional<RunRight> lockstep) implements Message {}

    public record Happened(ReplicaEvent event) implements Message {}

    /** What the hypervisor found when the process came up. */
    public record Found(ReplicaStatus status) implements Message {}

    /** The hypervisor's answer. */
    record Answered(ReplicaInput input) implements Message {}

    private final Hypervisor hypervisor;
    private final FloorFiles floors;
    private final ActorRef<PairHeartbeats.Message> heartbeats;
    private final Consumer<VmInput> entity;
    private ReplicaState state;

    /**
     * @param floor as {@code floors} has it
     * @param heartbeats listens to the other one of a pair
     * @param entity sends to the VM's entity
     */
    public static Behavior<Message> create(
            VmName vm,
            Epoch floor,
            Hypervisor hypervisor,
            FloorFiles floors,
            ActorRef<PairHeartbeats.Message> heartbeats,
            Consumer<VmInput> entity) {
        return Behaviors.setup(context ->
                new ReplicaActor(
                        context,
                        ReplicaState.of(vm, floor),
                        hypervisor,
                        floors,
                        heartbeats,
                        entity));
    }

    private ReplicaActor(
            ActorContext<Message> context,
            ReplicaState state,
            Hypervisor hypervisor,
            FloorFiles floors,
            ActorRef<PairHeartbeats.Message> heartbeats,
            Consumer<VmInput> entity) {
        super(context);
        context.setLoggerName(ReplicaActor.class);
        this.state = state;
        this.hypervisor = hypervisor;
        this.floors = floors;
        this.heartbeats = heartbeats;
        this.entity = entity;
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        var input = input(message);
        var turn = ReplicaLife.decide(state, input);
        try {
            turn.commands().forEach(this::carryOut);
            bonds(state, turn.state().bond());
            state = turn.state();
        } catch (RuntimeException e) {
            getContext().getLog().error("{} is not done; it has to come again", input, e);
        }
        return this;
    }

    /** Of a raise in hand the hypervisor tells the end; the partner is listened to after that. */
    private void bonds(ReplicaState known, Optional<Bonded> after) {
        var before = known.bond();
        if (!before.equals(after)) {
            before.filter(old -> after.filter(now -> now.own().equals(old.own())).isEmpty())
                    .ifPresent(old -> heartbeats.tell(new PairHeartbeats.LetGo(old.own())));
            after.ifPresent(now ->
                    heartbeats.tell(
                            new PairHeartbeats.Hold(
                                    now, known.runs(now.own()) || hypervisor.isKept(now.own()))));
        }
    }

    private ReplicaInput input(Message message) {
        return switch (message) {
            case Start(var right, var spec, var leaseLive) ->
                    new ReplicaInput.Start(right, spec, leaseLive);
            case Stop(var right, var kill) -> new ReplicaInput.Stop(right, kill);
            case Confirm(var right, var lockstep) ->
                    new ReplicaInput.Confirm(
                            right,
                            hypervisor.replicas().stream()
                                    .anyMatch(status -> status.right().equals(right)),
                            lockstep);
            case Prepare(var secondary, var primary, var spec, var leaseLive) ->
                    new ReplicaInput.Start(secondary, spec, leaseLive, Optional.of(primary));
            case AwaitLockstep(var secondary, var primary) ->
                    new ReplicaInput.AwaitLockstep(secondary, primary);
            case RaisePair(var primary, var secondary, var at) ->
                    new ReplicaInput.RaisePair(primary, secondary, at);
            case GoSolo(var winner, var loser) -> new ReplicaInput.GoSolo(winner, loser);
            case Found(var status) ->
                    new ReplicaInput.Found(
                            status.right(), status.running(), status.detail(), bond(status.part()));
            case Happened(var event) -> input(event);
            case Answered(var answer) -> answer;
        };
    }

    /**
     * How far a raise was that an earlier process began, the hypervisor knows: it is asked again.
     */
    private static ReplicaState.Bond bond(Hypervisor.Part part) {
        return switch (part) {
            case Hypervisor.Part.Alone() -> new ReplicaState.Alone();
            case Hypervisor.Part.Primary(var secondary) ->
                    new ReplicaState.Raising(secondary, false);
            case Hypervisor.Part.Secondary(var primary) ->
                    new ReplicaState.Follows(primary, Optional.empty());
        };
    }

    private static ReplicaInput input(ReplicaEvent event) {
        return switch (event) {
            case ReplicaEvent.Exited(var right, var lease, var how) ->
                    new ReplicaInput.Gone(right, lease ? Cause.LEASE : Cause.DIED, how);
            case ReplicaEvent.PoweredOff(var right) ->
                    new ReplicaInput.Gone(right, Cause.POWERED_OFF, "the guest powered off");
            case ReplicaEvent.Panicked(var right) ->
                    new ReplicaInput.InTrouble(right, new VmInput.GuestPanicked(right));
            case ReplicaEvent.DiskFailed(var right, var disk, var why) ->
                    new ReplicaInput.InTrouble(right, new VmInput.DiskFailed(right, disk, why));
            case ReplicaEvent.PartnerLost(var right, var partner, var why) ->
                    new ReplicaInput.InTrouble(right, new VmInput.PartnerLost(right, partner, why));
            case ReplicaEvent.Hung(var right, var why) ->
                    new ReplicaInput.InTrouble(right, new VmInput.ReplicaHung(right, why));
        };
    }

    private void carryOut(ReplicaCommand command) {
        switch (command) {
            case ReplicaCommand.KeepFloor(var floor) -> floors.keep(state.vm(), floor);
            case ReplicaCommand.Launch(var right, var spec) -> launch(right, spec);
            case ReplicaCommand.Prepare(var right, var primary, var spec) ->
                    prepare(right, primary, spec);
            case ReplicaCommand.Await(var right, var primary) -> await(right, primary);
            case ReplicaCommand.Raise(var right, var secondary, var at) ->
                    raise(right, secondary, at);
            case ReplicaCommand.Part(var right, var loser) -> part(right, loser);
            case ReplicaCommand.NoteLockstep(var right, var partner) ->
                    hypervisor.lockstepStored(right, partner);
            case ReplicaCommand.End(var right, var kill) -> end(right, kill);
            case ReplicaCommand.Tell(var news) -> entity.accept(news);
        }
    }

    private void launch(RunRight right, VmSpec spec) {
        long began = System.nanoTime();
        getContext()
                .pipeToSelf(
                        hypervisor.start(right, spec),
                        (status, failure) ->
                                new Answered(
                                        status == null
                                                ? failed(right, failure)
                                                : started(
                                                        status,
                                                        (System.nanoTime() - began) / 1_000_000)));
    }

    private void prepare(RunRight right, RunRight primary, VmSpec spec) {
        getContext()
                .pipeToSelf(
                        hypervisor.prepareSecondary(right, primary, spec),
                        (at, failure) ->
                                new Answered(
                                        at == null
                                                ? failed(right, failure)
                                                : new ReplicaInput.Prepared(right, primary, at)));
    }

    /**
     * Nor do they run in lockstep for the journal before each server hears the other one: silence
     * would part them at once. When it comes to nothing, its end or its primary's is told
     * otherwise.
     */
    private void await(RunRight right, RunRight primary) {
        var self = getContext().getSelf();
        Runnable seen = () -> self.tell(new Answered(new ReplicaInput.InLockstep(right, primary)));
        hypervisor
                .inLockstep(right, primary)
                .thenRun(() ->
                        heartbeats.tell(new PairHeartbeats.WhenBothHear(right, primary, seen)));
    }

    private void raise(RunRight right, RunRight secondary, PairAddress at) {
        var self = getContext().getSelf();
        getContext()
                .pipeToSelf(
                        hypervisor.raise(
                                right,
                                secondary,
                                at,
                                (stage, percent) ->
                                        self.tell(
                                                new Answered(
                                                        new ReplicaInput.RaiseStep(
                                                                right, secondary, stage,
                                                                percent)))),
                        (timings, failure) ->
                                new Answered(
                                        timings == null
                                                ? new ReplicaInput.RaiseBroke(
                                                        right,
                                                        secondary,
                                                        why(right, "raised", failure),
                                                        isUndone(failure))
                                                : new ReplicaInput.Raised(
                                                        right, secondary, timings)));
    }

    private void part(RunRight right, RunRight loser) {
        getContext()
                .pipeToSelf(
                        hypervisor.goSolo(right, loser),
                        (timings, failure) ->
                                new Answered(
                                        timings == null
                                                ? new ReplicaInput.PartFailed(
                                                        right,
                                                        loser,
                                                        why(right, "made alone", failure))
                                                : new ReplicaInput.Parted(right, loser, timings)));
    }

    private static boolean isUndone(@Nullable Throwable failure) {
        return !(cause(failure) instanceof HypervisorException known) || known.isUndone();
    }

    private String why(RunRight right, String what, @Nullable Throwable failure) {
        var cause = cause(failure);
        getContext().getLog().warn("{} could not be {}", right, what, cause);
        return String.valueOf(cause == null ? null : cause.getMessage());
    }

    private static ReplicaInput started(ReplicaStatus status, long tookMs) {
        return status.running()
                ? new ReplicaInput.Started(status.right(), tookMs, status.detail())
                : new ReplicaInput.StartedAndEnded(status.right(), status.detail());
    }

    private ReplicaInput failed(RunRight right, @Nullable Throwable failure) {
        var cause = cause(failure);
        getContext().getLog().warn("{} could not be started", right, cause);
        return new ReplicaInput.StartFailed(
                right,
                String.valueOf(cause == null ? null : cause.getMessage()),
                !(cause instanceof HypervisorException expected) || expected.worthTryingElsewhere(),
                cause instanceof HypervisorException known && known.guestNeverRan());
    }

    private void end(RunRight right, boolean kill) {
        getContext()
                .pipeToSelf(
                        hypervisor.stop(
                                right.vm(),
                                right.epoch(),
                                kill ? StopMode.KILL : StopMode.SHUTDOWN),
                        (_, failure) ->
                                new Answered(
                                        failure == null
                                                ? new ReplicaInput.StopDone(right)
                                                : stopFailed(right, failure)));
    }

    private ReplicaInput stopFailed(RunRight right, Throwable failure) {
        var cause = cause(failure);
        getContext().getLog().error("{} could not be ended; it is tried again", right, cause);
        return new ReplicaInput.StopFailed(right, String.valueOf(cause));
    }

    private static @Nullable Throwable cause(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }
}
