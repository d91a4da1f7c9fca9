package dev.belay.persistence.kryo;

import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ClusterState;
import dev.belay.decision.Disarming;
import dev.belay.decision.Evidence;
import dev.belay.decision.Failover;
import dev.belay.decision.Losses;
import dev.belay.decision.Proof;
import dev.belay.decision.Qemu;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmState;
import dev.belay.model.Desired;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.LeaseTerms;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.persistence.kryo.testing.GoldenFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What every released version stored can be read by this one. */
class StoredTypesTest {
    private static final Instant AT = Instant.parse("2026-11-23T22:21:20.123456Z");
    private static final VmName WEB = new VmName("web");
    private static final ServerName ALPHA = new ServerName("alpha");
    private static final ServerName BRAVO = new ServerName("bravo");
    private static final RunRight RIGHT =
            new RunRight(WEB, new Epoch(7), ALPHA, new Incarnation(3));
    private static final VmSpec SPEC =
            new VmSpec(
                    WEB,
                    2,
                    2048,
                    Optional.of(new KernelBoot("/boot/vmlinuz", "/boot/initrd", "quiet")),
                    List.of(
                            new DiskSpec(
                                    "root", DiskKind.SHARED, Optional.of("/srv/web.raw"), "raw", 0),
                            new DiskSpec(
                                    "scratch", DiskKind.EPHEMERAL, Optional.empty(), "qcow2", 512),
                            new DiskSpec(
                                    "here",
                                    DiskKind.LOCAL,
                                    Optional.of("/var/here.raw"),
                                    "raw",
                                    0)),
                    List.of(new NicSpec("br0", "52:54:00:01:02:03", Optional.of("10.0.0.5"))),
                    Level.RESTART,
                    new Placement(List.of(ALPHA, BRAVO), List.of(BRAVO), List.of()),
                    100);
    private static final List<Evidence> EVIDENCE =
            List.of(new Evidence(AT, "witness", "no heartbeats from alpha"));
    private static final Proof PROOF = new Proof(Proof.Kind.LEASE, "its lease was waited out", AT);
    private static final Failover REPORT =
            new Failover(
                    2,
                    "server alpha is lost",
                    ALPHA,
                    Optional.of(BRAVO),
                    AT,
                    Optional.of(AT.plusMillis(4100)),
                    List.of(new Failover.Step(AT, "bravo", "QEMU started", 120)));
    private static final VmState.Vm VM =
            new VmState.Vm(
                    SPEC,
                    Desired.RUNNING,
                    false,
                    new Epoch(7),
                    1,
                    2,
                    Optional.of(REPORT),
                    List.of(REPORT));
    private static final List<VmState.Refusal> REFUSALS =
            List.of(new VmState.Refusal(BRAVO, "it is full", true));
    private static final RunRight SECONDARY =
            new RunRight(WEB, new Epoch(8), BRAVO, new Incarnation(5));
    private static final VmState.Vm PAIRED =
            new VmState.Vm(
                    SPEC,
                    Desired.RUNNING,
                    false,
                    new Epoch(8),
                    1,
                    2,
                    Optional.of(REPORT),
                    List.of(REPORT),
                    Set.of(BRAVO, ALPHA),
                    List.of(RIGHT),
                    new VmState.Pursuit(2, REFUSALS));
    private static final VmSpec BUDGETED = SPEC.withLatencyBudget(Optional.of(40));
    private static final VmState.Vm BUDGETED_VM =
            new VmState.Vm(
                    BUDGETED,
                    Desired.RUNNING,
                    false,
                    new Epoch(8),
                    1,
                    2,
                    Optional.of(REPORT),
                    List.of(REPORT),
                    Set.of(BRAVO, ALPHA),
                    List.of(RIGHT),
                    new VmState.Pursuit(2, REFUSALS));
    private static final LeaseTerms TERMS =
            new LeaseTerms(Duration.ofSeconds(3), Duration.ofMillis(500), Duration.ofMillis(250));
    private static final ServerState.Server SERVER =
            new ServerState.Server(ALPHA, new Incarnation(3), "4f1c", 65536, Optional.of(TERMS));
    private static final ServerState.Server SERVER_WITHOUT_TERMS =
            new ServerState.Server(ALPHA, new Incarnation(3), "4f1c", 65536, Optional.empty());

    private static final Qemu QEMU =
            new Qemu(
                    "11.1.3",
                    "pc-i440fx-11.1",
                    "kvm",
                    "host (AMD EPYC 9354)",
                    Optional.of("it was never tried"));

    private static final Optional<ServerState.Maintenance> MAINTENANCE =
            Optional.of(new ServerState.Maintenance(AT, true));

    private static final Losses LOSSES = new Losses(4, List.of(2L, 3L, 4L), true);
    private static final Disarming DISARMING =
            new Disarming(AT, Duration.ofMinutes(30), "ada", "new switch");

    @Test
    void everyStoredTypeReadsBackWhatEarlierVersionsWrote() {
        var samples = new HashMap<String, Object>();
        samples.putAll(serverSamples());
        samples.putAll(stateSamples(2, SERVER_WITHOUT_TERMS));
        samples.putAll(stateSamples(3, SERVER));
        samples.putAll(clusterSamples());
        samples.putAll(vmEventSamples());
        samples.putAll(pairEventSamples());
        samples.putAll(pastVmStateSamples());
        samples.putAll(vmStateSamplesWithoutBudget());
        samples.putAll(vmStateSamples());
        GoldenFiles.check(
                List.of(new ModelTypes(), new DecisionTypes(), new MessageTypes()),
                Path.of("src/test/resources/golden/belay"),
                samples);
    }

    private static Map<String, Object> serverSamples() {
        return Map.ofEntries(
                Map.entry(
                        "server.ServerAdmitted/1",
                        new ServerEvent.ServerAdmitted(AT, SERVER_WITHOUT_TERMS)),
                Map.entry("server.ServerAdmitted/2", new ServerEvent.ServerAdmitted(AT, SERVER)),
                Map.entry("server.TermsTold/1", new ServerEvent.TermsTold(AT, TERMS)),
                Map.entry("server.MemoryChanged/1", new ServerEvent.MemoryChanged(AT, 4096)),
                Map.entry(
                        "server.MemoryReserved/1",
                        new ServerEvent.MemoryReserved(AT, WEB, new Epoch(7), 2048)),
                Map.entry("server.MemoryReleased/1", new ServerEvent.MemoryReleased(AT, WEB)),
                Map.entry(
                        "server.ServerFenced/1",
                        new ServerEvent.ServerFenced(AT, ALPHA, new Incarnation(3), EVIDENCE)),
                Map.entry(
                        "server.FenceAgentFailed/1",
                        new ServerEvent.FenceAgentFailed(AT, "timed out")),
                Map.entry(
                        "server.FencingProved/1",
                        new ServerEvent.FencingProved(AT, new Incarnation(3), PROOF)),
                Map.entry("server.state.Unknown/1", new ServerState.Unknown()),
                Map.entry(
                        "server.state.Live/1",
                        new ServerState.Live(
                                SERVER_WITHOUT_TERMS,
                                Map.of(WEB, new ServerState.Reservation(new Epoch(7), 2048)),
                                LOSSES,
                                Optional.of(new ServerState.Freeze(2, 3)))),
                Map.entry("server.QemuTold/1", new ServerEvent.QemuTold(AT, QEMU)),
                Map.entry(
                        "server.state.Fencing/1",
                        new ServerState.Fencing(
                                SERVER_WITHOUT_TERMS,
                                List.of(WEB),
                                EVIDENCE,
                                Optional.of("timed out"),
                                LOSSES)),
                Map.entry(
                        "server.state.Fenced/1",
                        new ServerState.Fenced(SERVER_WITHOUT_TERMS, PROOF, LOSSES)),
                Map.entry("server.MaintenanceBegan/1", new ServerEvent.MaintenanceBegan(AT, true)),
                Map.entry(
                        "server.ProofVoided/1",
                        new ServerEvent.ProofVoided(AT, new Incarnation(3), "it spoke")),
                Map.entry("server.MaintenanceEnded/1", new ServerEvent.MaintenanceEnded(AT)),
                Map.entry("server.LossCounted/1", new ServerEvent.LossCounted(AT, 4)),
                Map.entry("server.LossForgotten/1", new ServerEvent.LossForgotten(AT, 4)),
                Map.entry("server.QuarantineBegan/1", new ServerEvent.QuarantineBegan(AT, 3)),
                Map.entry(
                        "server.QuarantineEnded/1",
                        new ServerEvent.QuarantineEnded(AT, "an operator said so")),
                Map.entry("server.FreezeBegan/1", new ServerEvent.FreezeBegan(AT, 2, 3)),
                Map.entry("server.FreezeEnded/1", new ServerEvent.FreezeEnded(AT)));
    }

    /** As in both versions that know of maintenance; the second one says which terms it has. */
    private static Map<String, Object> stateSamples(int version, ServerState.Server server) {
        return Map.of(
                "server.state.Live/" + version,
                new ServerState.Live(
                        server,
                        Map.of(WEB, new ServerState.Reservation(new Epoch(7), 2048)),
                        LOSSES,
                        Optional.of(new ServerState.Freeze(2, 3)),
                        MAINTENANCE,
                        Optional.of(QEMU)),
                "server.state.Fencing/" + version,
                new ServerState.Fencing(
                        server,
                        List.of(WEB),
                        EVIDENCE,
                        Optional.of("timed out"),
                        LOSSES,
                        MAINTENANCE),
                "server.state.Fenced/" + version,
                new ServerState.Fenced(server, PROOF, LOSSES, MAINTENANCE));
    }

    private static Map<String, Object> clusterSamples() {
        return Map.of(
                "cluster.ClusterDisarmed/1",
                new ClusterEvent.ClusterDisarmed(AT, 3, DISARMING),
                "cluster.ClusterArmed/1",
                new ClusterEvent.ClusterArmed(AT, "its time is over"),
                "cluster.state.Armed/1",
                new ClusterState.Armed(3, Optional.empty()),
                "cluster.LeaseTermsSet/1",
                new ClusterEvent.LeaseTermsSet(AT, TERMS),
                "cluster.state.Armed/2",
                new ClusterState.Armed(3, Optional.of(TERMS)),
                "cluster.state.Disarmed/2",
                new ClusterState.Disarmed(3, DISARMING, Optional.of(TERMS)),
                "cluster.state.Disarmed/1",
                new ClusterState.Disarmed(3, DISARMING, Optional.empty()));
    }

    private static Map<String, Object> vmEventSamples() {
        return Map.ofEntries(
                Map.entry("vm.VmCreated/1", new VmEvent.VmCreated(AT, SPEC, Desired.RUNNING)),
                Map.entry("vm.VmCreated/2", new VmEvent.VmCreated(AT, BUDGETED, Desired.RUNNING)),
                Map.entry(
                        "vm.DesireChanged/1", new VmEvent.DesireChanged(AT, Desired.STOPPED, true)),
                Map.entry("vm.PlacementTried/1", new VmEvent.PlacementTried(AT, ALPHA, REFUSALS)),
                Map.entry("vm.NoServerFound/1", new VmEvent.NoServerFound(AT, REFUSALS)),
                Map.entry("vm.RightGranted/1", new VmEvent.RightGranted(AT, RIGHT)),
                Map.entry("vm.VmStarted/1", new VmEvent.VmStarted(AT, RIGHT, "pid 4711")),
                Map.entry(
                        "vm.StopBegan/1",
                        new VmEvent.StopBegan(AT, RIGHT, true, false, "as desired")),
                Map.entry(
                        "vm.ReplicaEnded/1", new VmEvent.ReplicaEnded(AT, RIGHT, "signal 9", true)),
                Map.entry("vm.StartFailed/1", new VmEvent.StartFailed(AT, RIGHT, "no image", true)),
                Map.entry(
                        "vm.BackOffBegan/1",
                        new VmEvent.BackOffBegan(AT, RIGHT, Duration.ofSeconds(2))),
                Map.entry("vm.VmSettled/1", new VmEvent.VmSettled(AT, new Epoch(7))),
                Map.entry(
                        "vm.FailoverBegan/1",
                        new VmEvent.FailoverBegan(AT, 2, "alpha is lost", RIGHT, true)),
                Map.entry(
                        "vm.FailoverAdvanced/1", new VmEvent.FailoverAdvanced(AT, REPORT.steps())),
                Map.entry("vm.LossProved/1", new VmEvent.LossProved(AT, RIGHT, PROOF)),
                Map.entry("vm.FailoverEnded/1", new VmEvent.FailoverEnded(AT, REPORT)),
                Map.entry("vm.VmStopped/1", new VmEvent.VmStopped(AT)),
                Map.entry("vm.VmDeleted/1", new VmEvent.VmDeleted(AT, new Epoch(7))));
    }

    private static Map<String, Object> pairEventSamples() {
        return Map.ofEntries(
                Map.entry("vm.LevelChanged/1", new VmEvent.LevelChanged(AT, Level.SYSTEM)),
                Map.entry("vm.PairingTried/1", new VmEvent.PairingTried(AT, BRAVO, REFUSALS)),
                Map.entry("vm.NoPartnerFound/1", new VmEvent.NoPartnerFound(AT, REFUSALS)),
                Map.entry("vm.PairGranted/1", new VmEvent.PairGranted(AT, RIGHT, SECONDARY)),
                Map.entry(
                        "vm.RaiseProgressed/1",
                        new VmEvent.RaiseProgressed(AT, SECONDARY, RaiseStage.DISKS, 30)),
                Map.entry(
                        "vm.LockstepReached/1", new VmEvent.LockstepReached(AT, RIGHT, SECONDARY)),
                Map.entry(
                        "vm.PairEnded/1",
                        new VmEvent.PairEnded(AT, RIGHT, SECONDARY, "its QEMU ended", true)),
                Map.entry(
                        "vm.SoloGranted/1",
                        new VmEvent.SoloGranted(AT, SECONDARY, RIGHT, "alpha is lost")),
                Map.entry("vm.SoloReached/1", new VmEvent.SoloReached(AT, SECONDARY)),
                Map.entry(
                        "vm.PairLost/1",
                        new VmEvent.PairLost(AT, RIGHT, SECONDARY, "both are lost")),
                Map.entry("vm.LoserEnded/1", new VmEvent.LoserEnded(AT, RIGHT, "killed")));
    }

    private static Map<String, Object> pastVmStateSamples() {
        return Map.ofEntries(
                Map.entry("vm.state.Absent/1", new VmState.Absent(new Epoch(7))),
                Map.entry("vm.state.Stopped/1", new VmState.Stopped(VM)),
                Map.entry("vm.state.Waiting/1", new VmState.Waiting(VM, REFUSALS)),
                Map.entry("vm.state.Placing/1", new VmState.Placing(VM, BRAVO, REFUSALS)),
                Map.entry("vm.state.Starting/1", new VmState.Starting(VM, RIGHT)),
                Map.entry("vm.state.Running/1", new VmState.Running(VM, RIGHT)),
                Map.entry("vm.state.Stopping/1", new VmState.Stopping(VM, RIGHT, true, false)),
                Map.entry("vm.state.FailingOver/1", new VmState.FailingOver(VM, RIGHT)),
                Map.entry(
                        "vm.state.BackingOff/1",
                        new VmState.BackingOff(VM, RIGHT, Duration.ofSeconds(2))));
    }

    private static Map<String, Object> vmStateSamplesWithoutBudget() {
        return Map.ofEntries(
                Map.entry("vm.state.Stopped/2", new VmState.Stopped(PAIRED)),
                Map.entry("vm.state.Waiting/2", new VmState.Waiting(PAIRED, REFUSALS)),
                Map.entry("vm.state.Placing/2", new VmState.Placing(PAIRED, BRAVO, REFUSALS)),
                Map.entry("vm.state.Starting/2", new VmState.Starting(PAIRED, RIGHT)),
                Map.entry("vm.state.Running/2", new VmState.Running(PAIRED, RIGHT)),
                Map.entry("vm.state.Stopping/2", new VmState.Stopping(PAIRED, RIGHT, true, false)),
                Map.entry("vm.state.FailingOver/2", new VmState.FailingOver(PAIRED, RIGHT)),
                Map.entry(
                        "vm.state.BackingOff/2",
                        new VmState.BackingOff(PAIRED, RIGHT, Duration.ofSeconds(2))),
                Map.entry(
                        "vm.state.Pairing/1", new VmState.Pairing(PAIRED, RIGHT, BRAVO, REFUSALS)),
                Map.entry(
                        "vm.state.Raising/1",
                        new VmState.Raising(PAIRED, RIGHT, SECONDARY, RaiseStage.MEMORY, 40)),
                Map.entry("vm.state.Lockstep/1", new VmState.Lockstep(PAIRED, RIGHT, SECONDARY)),
                Map.entry("vm.state.GoingSolo/1", new VmState.GoingSolo(PAIRED, SECONDARY, RIGHT)));
    }

    private static Map<String, Object> vmStateSamples() {
        return Map.ofEntries(
                Map.entry("vm.state.Stopped/3", new VmState.Stopped(BUDGETED_VM)),
                Map.entry("vm.state.Waiting/3", new VmState.Waiting(BUDGETED_VM, REFUSALS)),
                Map.entry("vm.state.Placing/3", new VmState.Placing(BUDGETED_VM, BRAVO, REFUSALS)),
                Map.entry("vm.state.Starting/3", new VmState.Starting(BUDGETED_VM, RIGHT)),
                Map.entry("vm.state.Running/3", new VmState.Running(BUDGETED_VM, RIGHT)),
                Map.entry(
                        "vm.state.Stopping/3",
                        new VmState.Stopping(BUDGETED_VM, RIGHT, true, false)),
                Map.entry("vm.state.FailingOver/3", new VmState.FailingOver(BUDGETED_VM, RIGHT)),
                Map.entry(
                        "vm.state.BackingOff/3",
                        new VmState.BackingOff(BUDGETED_VM, RIGHT, Duration.ofSeconds(2))),
                Map.entry(
                        "vm.state.Pairing/2",
                        new VmState.Pairing(BUDGETED_VM, RIGHT, BRAVO, REFUSALS)),
                Map.entry(
                        "vm.state.Raising/2",
                        new VmState.Raising(BUDGETED_VM, RIGHT, SECONDARY, RaiseStage.MEMORY, 40)),
                Map.entry(
                        "vm.state.Lockstep/2", new VmState.Lockstep(BUDGETED_VM, RIGHT, SECONDARY)),
                Map.entry(
                        "vm.state.GoingSolo/2",
                        new VmState.GoingSolo(BUDGETED_VM, SECONDARY, RIGHT)));
    }
}
