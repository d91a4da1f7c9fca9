package dev.belay.server;

import dev.belay.cluster.LeaseKeeper;
import dev.belay.decision.ServerInput;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmInput;
import dev.belay.model.Incarnation;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.replica.ReplicaActor;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * This machine as a server: asks for its incarnation, keeps its lease, and passes orders to its
 * replicas. One per node with role server, at a well-known path. After a crash of the process it
 * adopts what runs; when the journal has fenced it, it kills everything, says so and asks for the
 * next incarnation.
 */
public final class ServerNode extends AbstractBehavior<ServerNode.Message> {
    /** Child of the guardian, so that any node can address it without a registry. */
    public static final String ACTOR_NAME = "server";

    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

    public sealed interface Message {}

    /** From a VM's entity. */
    public record Order(VmAction action) implements Message {}

    /** From this server's entity. */
    public record Welcome(Incarnation incarnation) implements Message {}

    public record MustClean(Incarnation upTo, boolean fenced) implements Message {}

    /** May this spec run here? */
    public record Check(VmSpec spec, ActorRef<Checked> replyTo) implements Message {}

    /**
     * @param problems in sentences; empty: it may
     */
    public record Checked(List<String> problems) {}

    record AskAgain() implements Message {}

    record Adopted(List<ReplicaStatus> found, Optional<Throwable> failure) implements Message {}

    record Cleaned(Incarnation upTo, Optional<Throwable> failure) implements Message {}

    record Happened(ReplicaEvent event) implements Message {}

    record LeaseRefused(Incarnation incarnation) implements Message {}

    /**
     * What the node is made of.
     *
     * @param found what {@link Hypervisor#adopt} found when the process came up
     * @param join sends to this server's entity
     * @param entities sends to a VM's entity
     * @param memoryMiB for guests
     */
    public record Parts(
            Hypervisor hypervisor,
            CompletionStage<List<ReplicaStatus>> found,
            LeaseKeeper lease,
            IncarnationFile file,
            String bootId,
            int memoryMiB,
            Consumer<ServerInput.Join> join,
            BiConsumer<VmName, VmInput> entities) {}

    private final Parts parts;
    private final Map<VmName, ActorRef<ReplicaActor.Message>> replicas = new HashMap<>();
    private Incarnation holding;
    private boolean clean;
    private boolean cleaning;

    /** A clean was begun and has not succeeded yet: nothing is said of what runs here. */
    private boolean dirty;

    private boolean adopted;
    private boolean welcomed;

    public static Behavior<Message> create(Parts parts) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new ServerNode(context, timers, parts)));
    }

    private ServerNode(ActorContext<Message> context, TimerScheduler<Message> timers, Parts parts) {
        super(context);
        context.setLoggerName(ServerNode.class);
        this.parts = parts;
        this.holding =
                parts.file()
                        .read()
                        .map(IncarnationFile.Saved::incarnation)
                        .orElse(Incarnation.NONE);
        var self = context.getSelf();
        parts.hypervisor().observe(event -> self.tell(new Happened(event)));
        parts.lease().onFenced(incarnation -> self.tell(new LeaseRefused(incarnation)));
        context.pipeToSelf(
                parts.found(),
                (found, failure) ->
                        new Adopted(
                                found == null ? List.of() : found, Optional.ofNullable(failure)));
        timers.startTimerWithFixedDelay(new AskAgain(), ASK_AGAIN);
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Order(var action) -> order(action);
            case Welcome(var incarnation) -> welcome(incarnation);
            case MustClean(var upTo, var fenced) -> mustClean(upTo, fenced);
            case Check(var spec, var replyTo) ->
                    parts.hypervisor()
                            .check(spec)
                            .whenComplete((problems, failure) ->
                                    replyTo.tell(
                                            new Checked(
                                                    problems != null
                                                            ? problems
                                                            : List.of(String.valueOf(failure)))));
            case AskAgain() -> askAgain();
            case Adopted adoption -> adopted(adoption);
            case Cleaned(var upTo, var failure) -> cleaned(upTo, failure);
            case Happened(var event) ->
                    replica(event.right().vm()).tell(new ReplicaActor.Happened(event));
            case LeaseRefused(var incarnation) -> {
                if (incarnation.equals(holding)) {
                    welcomed = false;
                    askAgain();
                }
            }
        }
        return this;
    }

    private void adopted(Adopted adoption) {
        adoption.failure()
                .ifPresent(failure ->
                        getContext()
                                .getLog()
                                .error("could not look for running replicas", failure));
        adopted = adoption.failure().isEmpty();
        for (var status : adoption.found()) {
            getContext()
                    .getLog()
                    .info(
                            "found {} {}: {}",
                            status.right(),
                            status.running() ? "running" : "ended",
                            status.detail());
            replica(status.right().vm()).tell(new ReplicaActor.Found(status));
        }
        askAgain();
    }

    private void askAgain() {
        if (adopted && !cleaning) {
            parts.join()
                    .accept(
                            new ServerInput.Join(
                                    parts.bootId(), parts.memoryMiB(), holding, clean));
        }
    }

    private void welcome(Incarnation incarnation) {
        // A welcome that comes late must not revive an incarnation that was declared clean.
        if (holding.isAfter(incarnation) || cleaning || (clean && holding.equals(incarnation))) {
            return;
        }
        if (!incarnation.equals(holding) || !welcomed) {
            getContext().getLog().info("admitted as {}", incarnation);
            parts.file().write(new IncarnationFile.Saved(parts.bootId(), incarnation));
        }
        holding = incarnation;
        welcomed = true;
        clean = false;
        parts.lease().hold(incarnation);
    }

    /** Ours to clean unless it speaks of a life before the one that we hold. */
    private void mustClean(Incarnation upTo, boolean fenced) {
        boolean unknownToJournal = upTo.equals(Incarnation.NONE) && !welcomed;
        boolean late =
                (holding.isAfter(upTo) && !unknownToJournal)
                        || (welcomed && holding.equals(upTo) && !fenced);
        if (late || cleaning || (clean && holding.equals(upTo))) {
            return;
        }
        getContext()
                .getLog()
                .warn(
                        "killing whatever {} or an earlier life left here before asking for the next one",
                        upTo);
        cleaning = true;
        dirty = true;
        welcomed = false;
        parts.lease().hold(Incarnation.NONE);
        replicas.values().forEach(getContext()::stop);
        replicas.clear();
        getContext()
                .pipeToSelf(
                        parts.hypervisor().clean(),
                        (_, failure) -> new Cleaned(upTo, Optional.ofNullable(failure)));
    }

    private void cleaned(Incarnation upTo, Optional<Throwable> failure) {
        cleaning = false;
        if (failure.isPresent()) {
            getContext()
                    .getLog()
                    .error("could not kill everything that ran here; tries again", failure.get());
            return;
        }
        dirty = false;
        holding = upTo;
        clean = true;
        askAgain();
    }

    private void order(VmAction action) {
        if (cleaning || dirty || !adopted) {
            return; // Unanswered orders come again.
        }
        switch (action) {
            case VmAction.StartReplica(var right, var spec) -> {
                if (right.incarnation().equals(holding)) {
                    replica(right.vm())
                            .tell(new ReplicaActor.Start(right, spec, parts.lease().isLive()));
                } else {
                    getContext().getLog().warn("{} is not for {}: not started", right, holding);
                }
            }
            case VmAction.StopReplica(var right, var kill) ->
                    replica(right.vm()).tell(new ReplicaActor.Stop(right, kill));
            case VmAction.Confirm(var right) -> {
                if (right.incarnation().equals(holding)) {
                    replica(right.vm()).tell(new ReplicaActor.Confirm(right));
                }
            }
            case VmAction.Reserve _,
                    VmAction.Release _,
                    VmAction.AskStanding _,
                    VmAction.WakeAfter _,
                    VmAction.InsistAfter _,
                    VmAction.SettleAfter _ ->
                    getContext().getLog().error("not an order for a server: {}", action);
        }
    }

    private ActorRef<ReplicaActor.Message> replica(VmName vm) {
        return replicas.computeIfAbsent(
                vm,
                name ->
                        getContext()
                                .spawn(
                                        ReplicaActor.create(
                                                name,
                                                parts.hypervisor(),
                                                news -> parts.entities().accept(name, news)),
                                        "replica-" + name + "-" + System.nanoTime()));
    }
}
