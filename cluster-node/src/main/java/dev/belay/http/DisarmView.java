package dev.belay.http;

import dev.belay.decision.ClusterState;
import dev.belay.decision.Disarming;
import java.time.Instant;
import java.util.Optional;

/** Whether Belay moves VMs by itself, as the API shows it. All but the first null while it does. */
record DisarmView(
        boolean disarmed,
        Optional<Instant> since,
        Optional<Instant> until,
        Optional<String> by,
        Optional<String> reason) {
    static DisarmView of(ClusterState state) {
        var disarming = state.disarming();
        return new DisarmView(
                disarming.isPresent(),
                disarming.map(Disarming::at),
                disarming.map(Disarming::until),
                disarming.map(Disarming::by),
                disarming.map(Disarming::reason));
    }
}
