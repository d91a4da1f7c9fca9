package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.NodeInfo;
import dev.belay.decision.Departure;
import dev.belay.decision.Explanation;
import dev.belay.decision.ServerState.Known;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How far a server in maintenance is with getting empty.
 *
 * @param empty nothing of any VM is on it, nothing comes, and what left it runs elsewhere
 * @param unprotected VMs that run on one server only because this one takes no second copy
 */
record MaintenanceView(
        Instant since,
        boolean restartVms,
        boolean empty,
        List<Departure> remaining,
        List<VmName> unprotected) {

    static Optional<MaintenanceView> of(NodeInfo node, Admin admin) {
        return node.server()
                .flatMap(state ->
                        state instanceof Known known ? Optional.of(known) : Optional.empty())
                .flatMap(server -> of(server, admin));
    }

    private static Optional<MaintenanceView> of(Known server, Admin admin) {
        return server.maintenance()
                .map(now -> {
                    var vms = admin.vms();
                    var remaining = Departure.of(server, now, vms, admin.view());
                    return new MaintenanceView(
                            now.since(),
                            now.restartVms(),
                            remaining.isEmpty(),
                            remaining,
                            Departure.unprotected(server.server().name(), vms));
                });
    }

    String inWords(ServerName server) {
        return Explanation.asSentence(Explanation.maintained(server)) + " " + left();
    }

    private String left() {
        if (empty) {
            return "It is empty.";
        }
        long stay = remaining.stream().filter(departure -> !departure.moves()).count();
        return stay == 0
                ? "VMs on their way off it: %d.".formatted(remaining.size())
                : "VMs on it, or down since they left it: %d, of which %d stay so until you do something about them."
                        .formatted(remaining.size(), stay);
    }
}
