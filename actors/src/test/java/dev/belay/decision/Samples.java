package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.VmState.Vm;
import dev.belay.model.Desired;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Values that the tests of the decisions share. */
final class Samples {
    static final Instant AT = Instant.parse("2026-11-01T12:00:00Z");
    static final ServerName ALPHA = new ServerName("alpha");
    static final ServerName BETA = new ServerName("beta");
    static final ServerName GAMMA = new ServerName("gamma");
    static final VmName WEB = new VmName("web");
    static final Incarnation I1 = new Incarnation(1);
    static final Incarnation I2 = new Incarnation(2);
    static final Incarnation I3 = new Incarnation(3);
    static final Epoch E6 = new Epoch(6);
    static final Epoch E7 = new Epoch(7);
    static final Epoch E8 = new Epoch(8);
    static final int MEMORY = 1024;
    static final VmSpec SPEC = spec(WEB);
    static final RunRight RIGHT = right(E7, ALPHA, I2);
    static final RunRight SECONDARY = right(E8, BETA, I1);
    static final PairAddress PAIR_ADDRESS = new PairAddress("10.0.0.2", 1, 2, List.of());
    static final VmSpec PAIR_SPEC = pairSpec(WEB);
    static final Proof PROOF = new Proof(Proof.Kind.LEASE, "waited", AT);

    static final Qemu QEMU =
            new Qemu("11.1.3", "pc-i440fx-11.1", "kvm", "default", Optional.empty());
    static final Qemu OTHER_QEMU =
            new Qemu("9.2.0", "pc-i440fx-9.2", "kvm", "default", Optional.empty());

    /** Both servers are up; alpha has more room, so it is chosen first. */
    static final Context BOTH = context(view(ALPHA, I2, 8192), view(BETA, I1, 4096));

    static final Context ONLY_BETA = context(down(ALPHA, I2), view(BETA, I1, 4096));
    static final Context NOBODY = context();
    static final Disarming DISARMING =
            new Disarming(AT, Duration.ofMinutes(30), "ada", "new switch");

    /** Both are up, and no VM may be moved. */
    static final Context DISARMED =
            with(BOTH, new ClusterView(BOTH.view().servers(), Optional.of(DISARMING), List.of()));

    /** Only beta is up, and a VM of higher priority wants all that it has. */
    static final Context CROWDED =
            with(
                    ONLY_BETA,
                    new ClusterView(
                            ONLY_BETA.view().servers(),
                            Optional.empty(),
                            List.of(claim("db", 10, 4096))));

    /** Alpha is to be empty, and beta has room. */
    static final Context EMPTYING_ALPHA =
            context(maintained(ALPHA, I2, false), view(BETA, I1, 4096));

    static final Context RESTARTING_ALPHA =
            context(maintained(ALPHA, I2, true), view(BETA, I1, 4096));

    static final LeaseTerms TERMS =
            new LeaseTerms(Duration.ofSeconds(3), Duration.ofMillis(500), Duration.ofMillis(250));

    static final LeaseTerms LONGER_TERMS =
            new LeaseTerms(Duration.ofSeconds(9), TERMS.renewal(), TERMS.margin());

    private Samples() {}

    static VmSpec spec(VmName name) {
        return new VmSpec(
                name,
                1,
                MEMORY,
                Optional.empty(),
                List.of(),
                List.of(),
                Level.RESTART,
                Placement.ANYWHERE,
                0);
    }

    /** At level SYSTEM. */
    static VmSpec pairSpec(VmName name) {
        return new VmSpec(
                name,
                1,
                MEMORY,
                Optional.empty(),
                List.of(
                        new DiskSpec(
                                "root", DiskKind.MIRRORED, Optional.of("/srv/web.raw"), "raw", 0)),
                List.of(),
                Level.SYSTEM,
                Placement.ANYWHERE,
                0);
    }

    private static Context with(Context context, ClusterView view) {
        return new Context(context.at(), context.where(), view);
    }

    static ClusterView.Claim claim(String vm, int priority, int memoryMiB, ServerName... no) {
        return new ClusterView.Claim(
                new VmName(vm), priority, memoryMiB, Placement.ANYWHERE, List.of(no));
    }

    static RunRight right(Epoch epoch, ServerName server, Incarnation incarnation) {
        return new RunRight(WEB, epoch, server, incarnation);
    }

    /** A VM at epoch 7 without a history of failures. */
    static Vm vm(Desired desired) {
        return new Vm(SPEC, desired, false, E7, 0, 0, Optional.empty(), List.of());
    }

    static Vm wanted() {
        return vm(Desired.RUNNING);
    }

    /** At level SYSTEM, and it started on alpha. */
    static Vm paired() {
        return new Vm(PAIR_SPEC, Desired.RUNNING, false, E7, 0, 0, Optional.empty(), List.of())
                .newestOn(ALPHA);
    }

    /** The same in the middle of its first failover. */
    static Vm wantedInFailover() {
        return wanted().failingOver(
                        new Failover(
                                1,
                                "server alpha is lost",
                                ALPHA,
                                Optional.empty(),
                                AT,
                                Optional.empty(),
                                List.of()));
    }

    static Context context(ServerView... servers) {
        return new Context(AT, "witness", new ClusterView(List.of(servers)));
    }

    static ServerView view(ServerName name, Incarnation incarnation, int freeMiB) {
        return view(name, incarnation, freeMiB, QEMU);
    }

    static ServerView view(ServerName name, Incarnation incarnation, int freeMiB, Qemu qemu) {
        return new ServerView(
                name,
                incarnation,
                true,
                true,
                false,
                false,
                freeMiB,
                8192,
                Optional.empty(),
                Optional.of(qemu));
    }

    static ServerView maintained(ServerName name, Incarnation incarnation, boolean restartVms) {
        return new ServerView(
                name,
                incarnation,
                true,
                true,
                false,
                false,
                8192,
                8192,
                Optional.of(new ServerState.Maintenance(AT, restartVms)),
                Optional.of(QEMU));
    }

    static ServerView down(ServerName name, Incarnation incarnation) {
        return new ServerView(
                name,
                incarnation,
                false,
                false,
                false,
                false,
                0,
                8192,
                Optional.empty(),
                Optional.empty());
    }

    static Decision.Accepted<VmEvent, VmAction> accepted(
            List<VmEvent> events, List<VmAction> actions) {
        return new Decision.Accepted<>(events, actions);
    }

    static VmState after(VmState state, List<VmEvent> events) {
        for (var event : events) {
            state = VmHistory.apply(state, event);
        }
        return state;
    }

    static ServerState afterAll(ServerState state, List<ServerEvent> events) {
        for (var event : events) {
            state = ServerHistory.apply(state, event);
        }
        return state;
    }

    static String name(Object value) {
        return value.getClass().getSimpleName();
    }
}
