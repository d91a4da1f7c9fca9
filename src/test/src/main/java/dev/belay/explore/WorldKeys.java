package dev.belay.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Worlds without what makes no difference from here on. */
final class WorldKeys {
    private WorldKeys() {}

    /**
     * Equal, with {@link #messages}, for worlds in which the same can happen from here on. Times
     * are as they are left; what is only told is left out.
     */
    static List<Object> of(World world) {
        var all = new ArrayList<Object>();
        all.add(world.journal.key());
        for (var machine : world.machines) {
            all.add(machine.key(world));
        }
        all.add(Arrays.asList(world.jvms.clone()));
        var bits = new ArrayList<Object>();
        for (int i = 0; i < world.jvms.length; i++) {
            bits.add(world.outCut[i]);
            bits.add(world.inCut[i]);
            bits.add(world.nets[i]);
            bits.add(Math.min(world.steady[i], world.setup.slipEvery()));
        }
        all.add(bits);
        if (world.setup.pairs()) {
            all.add(world.legs.key());
            all.add(Set.copyOf(world.cutWires));
        }
        for (var entity : world.entities) {
            all.add(
                    entity.key(
                            world.clocks[entity.node], world.journal.seq(entity.pid) - entity.seq));
            all.add(world.seenSeqs[world.number(entity.pid)] > entity.seq);
        }
        all.add(new HashSet<>(world.calls));
        all.add(world.view);
        all.add(world.faults);
        if (!world.setup.holds(Rule.FRESH_GRANTS)) {
            all.add(Arrays.asList(world.remembered));
        }
        if (!world.setup.holds(Rule.WAIT_FROM_THE_COMMIT)) {
            for (int at : world.missed) {
                all.add(at < 0 ? -1 : Math.min(world.setup.proofWait() + 1, world.clocks[0] - at));
            }
        }
        return all;
    }

    static List<Object> messages(World world) {
        var messages = new ArrayList<Object>(world.network.size());
        for (var envelope : world.network) {
            messages.add(List.of(envelope.from(), relative(world, envelope.message())));
        }
        return messages;
    }

    private static Object relative(World world, Message message) {
        return switch (message) {
            case Message.LeaseReply reply ->
                    new Message.LeaseReply(
                            reply.server(),
                            reply.incarnation(),
                            reply.granted(),
                            Math.max(
                                    0,
                                    reply.sent()
                                            + world.setup.lease()
                                            - world.clocks[reply.server() + 1]));
            case Message.LateAppend late ->
                    new Message.LateAppend(
                            late.pid(), world.journal.seq(late.pid()) - late.base(), late.events());
            case Message.ToVm _, Message.ToServer _, Message.ToNode _, Message.Welcome _ -> message;
        };
    }
}
