package dev.belay.replica;

import dev.belay.decision.VmInput;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.replica.Hypervisor.StopMode;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * One VM's replica on this server: carries the entity's orders out one after the other and tells it
 * what came of them. An order that comes twice is answered twice and done once; a right that has
 * ended here never starts again. After a crash of the process it begins from what the hypervisor
 * found running.
 */
public final class ReplicaActor extends AbstractBehavior<ReplicaActor.Message> {
    public sealed interface Message {}

    public record Start(RunRight right, VmSpec spec, boolean leaseLive) implements Message {}

    public record Stop(RunRight right, boolean kill) implements Message {}

    public record Confirm(RunRight right) implements Message {}

    public record Happened(ReplicaEvent event) implements Message {}

    /** What the hypervisor found when the process came up. */
    public record Found(ReplicaStatus status) implements Message {}

    record Started(
            RunRight right,
            long tookMs,
            Optional<ReplicaStatus> status,
            Optional<Throwable> failure)
            implements Message {}

    record Stopped(RunRight right, Optional<Throwable> failure) implements Message {}

    /** Where the newest right stands here. */
    private sealed interface Standing {
        record Nothing() implements Standing {}

        record InStart(RunRight right, Optional<Stop> stopAfter) implements Standing {}

        /** {@code trouble}: told again whenever the entity asks. */
        record Runs(RunRight right, String detail, Optional<VmInput> trouble) implements Standing {}

        record InStop(RunRight right, boolean kill) implements Standing {}

        /** {@code news}: how it ended, told again whenever the entity asks. */
        record Ended(RunRight right, VmInput news) implements Standing {}
    }

    private final VmName vm;
    private final Hypervisor hypervisor;
    private final Consumer<VmInput> entity;
    private Epoch floor = Epoch.NONE;
    private Standing standing = new Standing.Nothing();

    public static Behavior<Message> create(
            VmName vm, Hypervisor hypervisor, Consumer<VmInput> entity) {
        return Behaviors.setup(context -> new ReplicaActor(context, vm, hypervisor, entity));
    }

    private ReplicaActor(
            ActorContext<Message> context,
            VmName vm,
            Hypervisor hypervisor,
            Consumer<VmInput> entity) {
        super(context);
        context.setLoggerName(ReplicaActor.class);
        this.vm = vm;
        this.hypervisor = hypervisor;
        this.entity = entity;
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Start start -> start(start);
            case Stop stop -> stop(stop);
            case Confirm(var right) -> confirm(right);
            case Happened(var event) -> happened(event);
            case Found(var status) -> found(status);
            case Started started -> started(started);
            case Stopped stopped -> stopped(stopped);
        }
        return this;
    }

    private void found(ReplicaStatus status) {
        boolean newer =
                standing instanceof Standing.Ended(var ended, _)
                        && status.right().epoch().isAfter(ended.epoch());
        if (!(standing instanceof Standing.Nothing) && !newer) {
            return;
        }
        if (status.running()) {
            standing = new Standing.Runs(status.right(), status.detail(), Optional.empty());
            entity.accept(new VmInput.ReplicaSeen(status.right()));
        } else {
            end(
                    status.right(),
                    new VmInput.ReplicaGone(status.right(), Cause.DIED, status.detail()));
        }
    }

    private void start(Start order) {
        var right = order.right();
        if (standing instanceof Standing.Ended(var ended, var news) && ended.equals(right)) {
            entity.accept(news);
            return;
        }
        if (!right.epoch().isAfter(floor)) {
            stoppedAlready(right);
            return;
        }
        switch (standing) {
            case Standing.InStart s when s.right().equals(right) -> {}
            case Standing.Runs s when s.right().equals(right) ->
                    entity.accept(new VmInput.ReplicaStarted(right, s.detail(), List.of()));
            case Standing.InStart _, Standing.InStop _ -> {
                // One thing at a time: the entity repeats its order until it is answered.
            }
            case Standing.Nothing _, Standing.Runs _, Standing.Ended _ -> begin(order);
        }
    }

    /** What has ended here never starts again, however late a repeated order comes. */
    private void neverAgain(RunRight right) {
        if (right.epoch().isAfter(floor)) {
            floor = right.epoch();
        }
    }

    /** Only once its end has been seen: a QEMU that is being killed still runs. */
    private void stoppedAlready(RunRight right) {
        switch (standing) {
            case Standing.Nothing _, Standing.Ended _ ->
                    entity.accept(
                            new VmInput.ReplicaGone(
                                    right, Cause.STOPPED, "it was stopped here already"));
            case Standing.InStart _, Standing.InStop _, Standing.Runs _ -> {}
        }
    }

    private void begin(Start order) {
        var right = order.right();
        if (!order.leaseLive()) {
            entity.accept(
                    new VmInput.ReplicaStartFailed(
                            right, "the server holds no live lease for its incarnation", true));
            floor = right.epoch();
            return;
        }
        standing = new Standing.InStart(right, Optional.empty());
        long began = System.nanoTime();
        getContext()
                .pipeToSelf(
                        hypervisor.start(right, order.spec()),
                        (status, failure) ->
                                new Started(
                                        right,
                                        (System.nanoTime() - began) / 1_000_000,
                                        Optional.ofNullable(status),
                                        Optional.ofNullable(failure)));
    }

    private void started(Started result) {
        if (!(standing instanceof Standing.InStart(var right, var stopAfter))
                || !right.equals(result.right())) {
            return;
        }
        if (result.status().isPresent() && result.status().get().running()) {
            var detail = result.status().get().detail();
            standing = new Standing.Runs(right, detail, Optional.empty());
            entity.accept(
                    new VmInput.ReplicaStarted(
                            right,
                            detail,
                            List.of(
                                    new Timing(
                                            "storage daemon, leash and QEMU started",
                                            result.tookMs()))));
        } else if (result.status().isPresent()) {
            end(right, new VmInput.ReplicaGone(right, Cause.DIED, result.status().get().detail()));
        } else {
            end(right, startFailed(right, result.failure().orElseThrow()));
        }
        stopAfter.ifPresent(this::stop);
    }

    private VmInput startFailed(RunRight right, Throwable failure) {
        var cause =
                failure.getCause() != null
                                && failure instanceof java.util.concurrent.CompletionException
                        ? failure.getCause()
                        : failure;
        getContext().getLog().warn("{} could not be started", right, cause);
        return new VmInput.ReplicaStartFailed(
                right,
                String.valueOf(cause.getMessage()),
                !(cause instanceof HypervisorException expected)
                        || expected.worthTryingElsewhere());
    }

    private void stop(Stop order) {
        var right = order.right();
        if (right.epoch().isAfter(floor)) {
            floor = right.epoch();
        }
        switch (standing) {
            case Standing.InStart s when !s.right().epoch().isAfter(right.epoch()) ->
                    standing = new Standing.InStart(s.right(), Optional.of(order));
            case Standing.InStart _ -> {
                // A newer right starts: starting it ends the older ones first.
            }
            case Standing.InStop s when s.kill() || !order.kill() -> {}
            case Standing.Nothing _, Standing.Runs _, Standing.Ended _, Standing.InStop _ ->
                    beginStop(order);
        }
    }

    private void beginStop(Stop order) {
        var right = order.right();
        boolean newer =
                standing instanceof Standing.Runs runs
                        && runs.right().epoch().isAfter(right.epoch());
        if (!newer) {
            standing = new Standing.InStop(right, order.kill());
        }
        getContext()
                .pipeToSelf(
                        hypervisor.stop(
                                vm,
                                right.epoch(),
                                order.kill() ? StopMode.KILL : StopMode.SHUTDOWN),
                        (_, failure) -> new Stopped(right, Optional.ofNullable(failure)));
    }

    private void stopped(Stopped result) {
        if (result.failure().isPresent()) {
            getContext()
                    .getLog()
                    .error(
                            "{} could not be stopped; the order will come again",
                            result.right(),
                            result.failure().get());
            if (standing instanceof Standing.InStop s) {
                standing = new Standing.Runs(s.right(), "could not be stopped", Optional.empty());
            }
            return;
        }
        var news = new VmInput.ReplicaGone(result.right(), Cause.STOPPED, "stopped as ordered");
        if (standing instanceof Standing.InStop s && s.right().equals(result.right())) {
            standing = new Standing.Ended(result.right(), news);
        }
        entity.accept(news);
    }

    private void confirm(RunRight right) {
        switch (standing) {
            case Standing.Runs(var runs, _, var trouble) when runs.equals(right) ->
                    confirmRunning(right, trouble);
            case Standing.InStart s when s.right().equals(right) -> {}
            case Standing.InStop s when s.right().equals(right) -> {}
            case Standing.Ended(var ended, var news) when ended.equals(right) ->
                    entity.accept(news);
            case Standing.Nothing _,
                    Standing.Runs _,
                    Standing.InStart _,
                    Standing.InStop _,
                    Standing.Ended _ -> {
                neverAgain(right);
                entity.accept(
                        new VmInput.ReplicaGone(
                                right, Cause.DIED, "no process of it was found on the server"));
            }
        }
    }

    /** Its end may have been told before anybody listened: around an adoption, say. */
    private void confirmRunning(RunRight right, Optional<VmInput> trouble) {
        boolean runs =
                hypervisor.replicas().stream().anyMatch(status -> status.right().equals(right));
        if (runs) {
            trouble.ifPresent(entity);
        } else {
            end(right, new VmInput.ReplicaGone(right, Cause.DIED, "its end was not seen"));
        }
    }

    private void happened(ReplicaEvent event) {
        if (!(standing instanceof Standing.Runs(var right, var detail, _))
                || !right.equals(event.right())) {
            return;
        }
        switch (event) {
            case ReplicaEvent.Exited(_, var lease, var how) ->
                    end(
                            right,
                            new VmInput.ReplicaGone(right, lease ? Cause.LEASE : Cause.DIED, how));
            case ReplicaEvent.PoweredOff _ ->
                    end(
                            right,
                            new VmInput.ReplicaGone(
                                    right, Cause.POWERED_OFF, "the guest powered off"));
            case ReplicaEvent.Panicked _ ->
                    trouble(right, detail, new VmInput.GuestPanicked(right));
            case ReplicaEvent.DiskFailed(_, var disk, var why) ->
                    trouble(right, detail, new VmInput.DiskFailed(right, disk, why));
        }
    }

    private void trouble(RunRight right, @Nullable String detail, VmInput news) {
        standing = new Standing.Runs(right, detail == null ? "" : detail, Optional.of(news));
        entity.accept(news);
    }

    private void end(RunRight right, VmInput news) {
        neverAgain(right);
        standing = new Standing.Ended(right, news);
        entity.accept(news);
    }
}
