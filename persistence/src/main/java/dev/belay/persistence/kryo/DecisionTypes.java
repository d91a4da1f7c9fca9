package dev.belay.persistence.kryo;

import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterState;
import dev.belay.decision.Decision;
import dev.belay.decision.Disarming;
import dev.belay.decision.Evidence;
import dev.belay.decision.Failover;
import dev.belay.decision.Losses;
import dev.belay.decision.Proof;
import dev.belay.decision.Qemu;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;

/**
 * Events and snapshots of the three kinds of entity, and what they and the messages are made of:
 * ids 200 to 499.
 */
public final class DecisionTypes implements KryoTypes {
    @Override
    public void register(Registry registry) {
        parts(registry);
        serverEvents(registry);
        clusterTypes(registry);
        vmEvents(registry);
        pairEvents(registry);
        states(registry);
        PastServerStates.register(registry);
        PastVmStates.register(registry);
        inputs(registry);
    }

    private static void parts(Registry registry) {
        registry.part(200, Evidence.class);
        registry.part(201, Proof.class);
        registry.part(202, Proof.Kind.class);
        registry.part(203, Failover.class);
        registry.part(204, Failover.Step.class);
        registry.part(205, VmState.Vm.class);
        registry.part(206, VmState.Refusal.class);
        registry.part(207, ServerState.Server.class);
        registry.part(208, ServerState.Reservation.class);
        registry.part(209, VmInput.Cause.class);
        registry.part(210, VmInput.Timing.class);
        registry.part(211, Decision.Reason.class);
        registry.part(212, Losses.class);
        registry.part(213, ServerState.Freeze.class);
        registry.part(214, Disarming.class);
        registry.part(215, VmState.Pursuit.class);
        registry.part(216, PastVmStates.Vm.class);
        registry.part(217, RaiseStage.class);
        registry.part(218, ServerState.Maintenance.class);
        registry.part(222, Qemu.class);
    }

    private static void serverEvents(Registry registry) {
        registry.persisted(230, "server.ServerAdmitted/2", ServerEvent.ServerAdmitted.class);
        registry.persisted(231, "server.MemoryChanged/1", ServerEvent.MemoryChanged.class);
        registry.persisted(232, "server.MemoryReserved/1", ServerEvent.MemoryReserved.class);
        registry.persisted(233, "server.MemoryReleased/1", ServerEvent.MemoryReleased.class);
        registry.persisted(234, "server.ServerFenced/1", ServerEvent.ServerFenced.class);
        registry.persisted(235, "server.FenceAgentFailed/1", ServerEvent.FenceAgentFailed.class);
        registry.persisted(236, "server.FencingProved/1", ServerEvent.FencingProved.class);
        registry.persisted(237, "server.LossCounted/1", ServerEvent.LossCounted.class);
        registry.persisted(238, "server.LossForgotten/1", ServerEvent.LossForgotten.class);
        registry.persisted(239, "server.QuarantineBegan/1", ServerEvent.QuarantineBegan.class);
        registry.persisted(240, "server.QuarantineEnded/1", ServerEvent.QuarantineEnded.class);
        registry.persisted(241, "server.FreezeBegan/1", ServerEvent.FreezeBegan.class);
        registry.persisted(242, "server.FreezeEnded/1", ServerEvent.FreezeEnded.class);
        registry.persisted(243, "server.MaintenanceBegan/1", ServerEvent.MaintenanceBegan.class);
        registry.persisted(244, "server.MaintenanceEnded/1", ServerEvent.MaintenanceEnded.class);
        registry.persisted(245, "server.QemuTold/1", ServerEvent.QemuTold.class);
        registry.persisted(246, "server.ProofVoided/1", ServerEvent.ProofVoided.class);
        registry.persisted(247, "server.TermsTold/1", ServerEvent.TermsTold.class);
    }

    private static void clusterTypes(Registry registry) {
        registry.persisted(300, "cluster.ClusterDisarmed/1", ClusterEvent.ClusterDisarmed.class);
        registry.persisted(301, "cluster.ClusterArmed/1", ClusterEvent.ClusterArmed.class);
        registry.persisted(302, "cluster.LeaseTermsSet/1", ClusterEvent.LeaseTermsSet.class);
        registry.persisted(310, "cluster.state.Armed/2", ClusterState.Armed.class);
        registry.persisted(311, "cluster.state.Disarmed/2", ClusterState.Disarmed.class);
        PastClusterStates.register(registry);
        registry.part(410, ClusterInput.Disarm.class);
        registry.part(411, ClusterInput.Arm.class);
    }

    private static void vmEvents(Registry registry) {
        registry.persisted(260, "vm.VmCreated/2", VmEvent.VmCreated.class);
        registry.persisted(261, "vm.DesireChanged/1", VmEvent.DesireChanged.class);
        registry.persisted(262, "vm.PlacementTried/1", VmEvent.PlacementTried.class);
        registry.persisted(263, "vm.NoServerFound/1", VmEvent.NoServerFound.class);
        registry.persisted(264, "vm.RightGranted/1", VmEvent.RightGranted.class);
        registry.persisted(265, "vm.VmStarted/1", VmEvent.VmStarted.class);
        registry.persisted(266, "vm.StopBegan/1", VmEvent.StopBegan.class);
        registry.persisted(267, "vm.ReplicaEnded/1", VmEvent.ReplicaEnded.class);
        registry.persisted(268, "vm.BackOffBegan/1", VmEvent.BackOffBegan.class);
        registry.persisted(269, "vm.VmSettled/1", VmEvent.VmSettled.class);
        registry.persisted(270, "vm.FailoverBegan/1", VmEvent.FailoverBegan.class);
        registry.persisted(271, "vm.FailoverAdvanced/1", VmEvent.FailoverAdvanced.class);
        registry.persisted(272, "vm.LossProved/1", VmEvent.LossProved.class);
        registry.persisted(273, "vm.FailoverEnded/1", VmEvent.FailoverEnded.class);
        registry.persisted(274, "vm.VmStopped/1", VmEvent.VmStopped.class);
        registry.persisted(275, "vm.VmDeleted/1", VmEvent.VmDeleted.class);
        registry.persisted(287, "vm.StartFailed/1", VmEvent.StartFailed.class);
    }

    private static void pairEvents(Registry registry) {
        registry.persisted(276, "vm.LevelChanged/1", VmEvent.LevelChanged.class);
        registry.persisted(277, "vm.PairingTried/1", VmEvent.PairingTried.class);
        registry.persisted(278, "vm.NoPartnerFound/1", VmEvent.NoPartnerFound.class);
        registry.persisted(279, "vm.PairGranted/1", VmEvent.PairGranted.class);
        registry.persisted(280, "vm.RaiseProgressed/1", VmEvent.RaiseProgressed.class);
        registry.persisted(281, "vm.LockstepReached/1", VmEvent.LockstepReached.class);
        registry.persisted(282, "vm.PairEnded/1", VmEvent.PairEnded.class);
        registry.persisted(283, "vm.SoloGranted/1", VmEvent.SoloGranted.class);
        registry.persisted(284, "vm.SoloReached/1", VmEvent.SoloReached.class);
        registry.persisted(285, "vm.PairLost/1", VmEvent.PairLost.class);
        registry.persisted(286, "vm.LoserEnded/1", VmEvent.LoserEnded.class);
    }

    private static void states(Registry registry) {
        registry.persisted(320, "server.state.Unknown/1", ServerState.Unknown.class);
        registry.persisted(321, "server.state.Live/3", ServerState.Live.class);
        registry.persisted(322, "server.state.Fencing/3", ServerState.Fencing.class);
        registry.persisted(323, "server.state.Fenced/3", ServerState.Fenced.class);
        registry.persisted(340, "vm.state.Absent/1", VmState.Absent.class);
        registry.persisted(341, "vm.state.Stopped/3", VmState.Stopped.class);
        registry.persisted(342, "vm.state.Waiting/3", VmState.Waiting.class);
        registry.persisted(343, "vm.state.Placing/3", VmState.Placing.class);
        registry.persisted(344, "vm.state.Starting/3", VmState.Starting.class);
        registry.persisted(345, "vm.state.Running/3", VmState.Running.class);
        registry.persisted(346, "vm.state.Stopping/3", VmState.Stopping.class);
        registry.persisted(347, "vm.state.FailingOver/3", VmState.FailingOver.class);
        registry.persisted(348, "vm.state.BackingOff/3", VmState.BackingOff.class);
        registry.persisted(349, "vm.state.Pairing/2", VmState.Pairing.class);
        registry.persisted(350, "vm.state.Raising/2", VmState.Raising.class);
        registry.persisted(351, "vm.state.Lockstep/2", VmState.Lockstep.class);
        registry.persisted(352, "vm.state.GoingSolo/2", VmState.GoingSolo.class);
    }

    private static void inputs(Registry registry) {
        registry.part(400, dev.belay.decision.ServerInput.Join.class);
        registry.part(401, dev.belay.decision.ServerInput.Reserve.class);
        registry.part(402, dev.belay.decision.ServerInput.Release.class);
        registry.part(403, dev.belay.decision.ServerInput.AskStanding.class);
        registry.part(404, dev.belay.decision.ServerInput.EndQuarantine.class);
        registry.part(405, dev.belay.decision.ServerInput.ConfirmOff.class);
        registry.part(406, dev.belay.decision.ServerInput.BeginMaintenance.class);
        registry.part(407, dev.belay.decision.ServerInput.EndMaintenance.class);
        registry.part(420, VmInput.Create.class);
        registry.part(421, VmInput.Start.class);
        registry.part(422, VmInput.Stop.class);
        registry.part(423, VmInput.Delete.class);
        registry.part(424, VmInput.Reserved.class);
        registry.part(425, VmInput.ReservationRefused.class);
        registry.part(426, VmInput.ReplicaStarted.class);
        registry.part(427, VmInput.ReplicaStartFailed.class);
        registry.part(428, VmInput.ReplicaGone.class);
        registry.part(429, VmInput.GuestPanicked.class);
        registry.part(430, VmInput.DiskFailed.class);
        registry.part(431, VmInput.ReplicaSeen.class);
        registry.part(432, VmInput.ServerLost.class);
        registry.part(433, VmInput.FenceProved.class);
        registry.part(434, VmInput.Protect.class);
        registry.part(435, VmInput.Switchover.class);
        registry.part(436, VmInput.SecondaryReady.class);
        registry.part(437, VmInput.RaiseAdvanced.class);
        registry.part(438, VmInput.PairRaised.class);
        registry.part(439, VmInput.RaiseFailed.class);
        registry.part(440, VmInput.PartnerLost.class);
        registry.part(441, VmInput.ReplicaHung.class);
        registry.part(442, VmInput.SoloDone.class);
        registry.part(443, VmInput.LockstepSeen.class);
        registry.part(444, VmInput.HandOver.class);
        registry.part(450, VmAction.StartReplica.class);
        registry.part(451, VmAction.StopReplica.class);
        registry.part(452, VmAction.Confirm.class);
        registry.part(453, VmAction.PrepareSecondary.class);
        registry.part(454, VmAction.RaisePair.class);
        registry.part(455, VmAction.GoSolo.class);
        registry.part(456, VmAction.AwaitLockstep.class);
        registry.part(457, VmAction.ConfirmLockstep.class);
        registry.part(458, VmAction.PassCheckpoint.class);
    }
}
