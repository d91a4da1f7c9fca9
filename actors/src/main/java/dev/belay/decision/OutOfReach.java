package dev.belay.decision;

import dev.belay.decision.VmState.Lockstep;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Pairs of which neither server answers. Nobody else has their disks, and their halves may live by
 * each other (safety.md 14): to fence one of the two servers would help nobody, and end a guest
 * that runs.
 */
public final class OutOfReach {
    private OutOfReach() {}

    /**
     * Whether all that runs on a server that does not answer, and all that it keeps memory for, are
     * halves of such pairs.
     *
     * @param isAway of a half on another server, in the same life
     */
    public static boolean isAll(
            ServerState.Live server, Function<VmName, VmState> vms, Predicate<RunRight> isAway) {
        return !server.reservations().isEmpty()
                && server.reservations().keySet().stream()
                        .allMatch(vm -> isHalf(server.server(), vms.apply(vm), isAway));
    }

    private static boolean isHalf(
            ServerState.Server server, VmState vm, Predicate<RunRight> isAway) {
        return vm instanceof Lockstep pair
                && pair.vm().spec().isMirrored()
                && halves(pair)
                        .anyMatch(own -> VmLife.isAt(own, server.name(), server.incarnation()))
                && partner(pair, server.name()).filter(isAway).isPresent();
    }

    /** The half on the other server. */
    private static Optional<RunRight> partner(Lockstep pair, ServerName server) {
        return halves(pair).filter(right -> !right.server().equals(server)).findFirst();
    }

    private static Stream<RunRight> halves(Lockstep pair) {
        return Stream.of(pair.primary(), pair.secondary());
    }

    /** Whether it runs in lockstep on two of these servers, whose halves may live by each other. */
    public static boolean isWithin(VmState vm, Predicate<ServerName> servers) {
        return vm instanceof Lockstep pair
                && pair.vm().spec().isMirrored()
                && halves(pair).map(RunRight::server).allMatch(servers);
    }

    /** Whether neither of its servers answers, as far as is known here. */
    static boolean isSo(Lockstep pair, ClusterView view) {
        return halves(pair)
                .allMatch(right ->
                        view.server(right.server())
                                .filter(there -> there.live() && there.reachable())
                                .isEmpty());
    }
}
