package dev.belay.http;

import dev.belay.admin.Admin.NodeInfo;
import dev.belay.decision.Disarming;
import dev.belay.decision.Explanation;
import dev.belay.decision.Qemu;
import dev.belay.decision.ServerState;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Server;
import dev.belay.decision.ServerState.Unknown;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Optional;

/**
 * One node as the API shows it. What only servers have is null for a witness.
 *
 * @param incarnation null when it was never admitted
 * @param qemu its version; null while it is not told
 * @param machine the versioned machine type that a VM gets which starts there
 * @param lockstep whether VMs may run in lockstep with it
 * @param vms those that it runs
 * @param secondaries those whose second copy it has, or is getting
 */
record NodeView(
        ServerName name,
        String role,
        String state,
        boolean reachable,
        String address,
        String api,
        boolean voter,
        Optional<Long> incarnation,
        Optional<Integer> memoryMiB,
        Optional<Integer> reservedMiB,
        Optional<Integer> freeMiB,
        Optional<String> qemu,
        Optional<String> machine,
        Optional<Boolean> lockstep,
        List<VmName> vms,
        List<VmName> secondaries,
        Optional<MaintenanceView> maintenance,
        String explanation) {

    static NodeView of(
            NodeInfo node,
            List<VmName> secondaries,
            Optional<MaintenanceView> maintenance,
            Optional<Disarming> disarming) {
        var server =
                node.server()
                        .flatMap(state ->
                                state instanceof Known known
                                        ? Optional.of(known.server())
                                        : Optional.empty());
        var live =
                node.server()
                        .flatMap(state ->
                                state instanceof Live l ? Optional.of(l) : Optional.empty());
        var qemu = live.flatMap(Live::qemu);
        return new NodeView(
                node.name(),
                node.role(),
                node.state(),
                node.reachable(),
                node.address(),
                node.api(),
                node.voter(),
                server.map(s -> s.incarnation().value()),
                server.map(Server::memoryMiB),
                live.map(Live::reservedMiB),
                live.map(Live::freeMiB),
                qemu.map(Qemu::version),
                qemu.map(Qemu::machine),
                qemu.map(told -> told.unproven().isEmpty()),
                node.vms(),
                secondaries,
                maintenance,
                explanation(node, disarming)
                        + maintenance.map(m -> " " + m.inWords(node.name())).orElse(""));
    }

    private static String explanation(NodeInfo node, Optional<Disarming> disarming) {
        if (node.state().equals("absent")) {
            return "It is configured but never joined the cluster. Start Belay on it.";
        }
        if (!node.role().equals("server")) {
            return node.reachable()
                    ? "It votes and runs no VMs."
                    : "It does not answer this node. VMs go on, but if it is away, one more lost node may stop everything.";
        }
        return explanation(node, node.server().orElse(new Unknown()), disarming)
                + node.server()
                        .filter(state ->
                                state instanceof Known known && known.losses().quarantined())
                        .map(_ -> " Also, " + Explanation.quarantined(node.name()) + ".")
                        .orElse("");
    }

    private static String explanation(
            NodeInfo node, ServerState state, Optional<Disarming> disarming) {
        return switch (state) {
            case Unknown _ ->
                    "It was never admitted as a server. It is as soon as its node asks and a majority of the voting nodes answers.";
            case Live live when node.reachable() ->
                    "It is up: %d of %d MiB are reserved for VMs."
                                    .formatted(live.reservedMiB(), live.server().memoryMiB())
                            + live.qemu()
                                    .flatMap(Qemu::unproven)
                                    .map(why -> " No VM runs in lockstep there: " + why + ".")
                                    .orElse("");
            case Live live when live.freeze().isPresent() ->
                    "It does not answer. " + Explanation.frozen(node.name()) + ".";
            case Live _ when node.state().equals("out-of-reach") ->
                    "It does not answer this node. " + Explanation.outOfReach() + ".";
            case Live _ ->
                    "It does not answer this node. "
                            + disarming
                                    .map(why -> "It is not fenced, because " + why.inWords() + ".")
                                    .orElse(
                                            "If no other node hears it either, it is fenced and its VMs start elsewhere, unless it comes back.");
            case Fencing fencing ->
                    "It is lost and its lease is not renewed any more. Its VMs start elsewhere as soon as it is proved that it runs nothing."
                            + fencing.agentFailure()
                                    .map(why -> " Its fence agent failed: " + why)
                                    .orElse("");
            case Fenced fenced ->
                    "It is fenced: %s. It is admitted again as soon as its node is back."
                            .formatted(proof(fenced));
        };
    }

    private static String proof(Fenced fenced) {
        return switch (fenced.proof().kind()) {
            case LEASE -> "its lease ran out, so nothing runs there";
            case AGENT -> "its fence agent switched it off";
            case REBOOTED -> "it has rebooted, so nothing of before runs there";
            case CLEANED -> "it has ended all that ran there";
            case PERSON -> "a person confirmed that it is off";
        };
    }
}
