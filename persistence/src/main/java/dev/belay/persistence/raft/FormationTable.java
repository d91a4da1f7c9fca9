package dev.belay.persistence.raft;

import dev.belay.persistence.raft.WireReader.MalformedException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Who booted, who may found a cluster, who joined one: the rules of {@link
 * dev.belay.cluster.ClusterFormation}.
 *
 * <p>A boot counts only while no cluster was founded after it. Without that, two of three voters
 * that booted together with the founder would still be a majority "booted and not joined", and
 * another founder would be let through before they joined the first.
 */
final class FormationTable {
    private static final String GENERATION = "generation";
    private static final int REMEMBERED_RUNS = 8;

    private enum Phase {
        BOOTED,
        FOUNDED,
        JOINED
    }

    /** A node's newest process; {@code generation}: at its boot, or that it founded or joined. */
    private record Process(UUID run, Phase phase, long generation, List<UUID> earlier) {}

    private final JournalStore store;
    private final Collection<String> voters;

    FormationTable(JournalStore store, Collection<String> voters) {
        this.store = store;
        this.voters = voters;
    }

    long generation() {
        return store.number(GENERATION);
    }

    void booted(String node, UUID run) {
        var known = process(node);
        // A late repeat of an earlier process says nothing about the newest one.
        if (known.isPresent()
                && (known.get().run().equals(run) || known.get().earlier().contains(run))) {
            return;
        }
        var earlier = known.map(FormationTable::withItself).orElse(List.of());
        put(node, new Process(run, Phase.BOOTED, generation(), earlier));
    }

    private static List<UUID> withItself(Process process) {
        var runs = new ArrayList<UUID>();
        runs.add(process.run());
        runs.addAll(process.earlier());
        return runs.subList(0, Math.min(REMEMBERED_RUNS, runs.size()));
    }

    Reply found(String node, UUID run, boolean all) {
        var known = process(node);
        if (known.isEmpty() || !known.get().run().equals(run)) {
            return new Reply.FoundRefused("this process is not the newest of " + node);
        }
        var process = known.get();
        return switch (process.phase()) {
            case JOINED -> new Reply.FoundRefused(node + " joined already");
            // The same founder asks again because the answer got lost.
            case FOUNDED ->
                    process.generation() == generation()
                            ? new Reply.FoundGranted(generation())
                            : new Reply.FoundRefused("a newer cluster was founded since");
            case BOOTED -> foundBooted(node, process, all);
        };
    }

    private Reply foundBooted(String node, Process process, boolean all) {
        long fresh = voters.stream().filter(this::isFresh).count();
        int needed = all ? voters.size() : voters.size() / 2 + 1;
        if (fresh < needed) {
            return new Reply.FoundRefused(
                    "%d of %d voters booted since cluster generation %d was founded, %d are needed"
                            .formatted(fresh, voters.size(), generation(), needed));
        }
        long next = generation() + 1;
        store.setNumber(GENERATION, next);
        put(node, new Process(process.run(), Phase.FOUNDED, next, process.earlier()));
        return new Reply.FoundGranted(next);
    }

    private boolean isFresh(String voter) {
        return process(voter)
                .filter(p -> p.phase() == Phase.BOOTED && p.generation() == generation())
                .isPresent();
    }

    void joined(String node, UUID run) {
        process(node)
                .filter(process -> process.run().equals(run))
                .ifPresent(process ->
                        put(node, new Process(run, Phase.JOINED, generation(), process.earlier())));
    }

    private Optional<Process> process(String node) {
        var row = store.map(Table.FORMATION).get(node);
        if (row == null) {
            return Optional.empty();
        }
        var in = new WireReader(row);
        return Optional.of(new Process(in.uuid(), phase(in.u8()), in.i64(), in.list(16, in::uuid)));
    }

    private void put(String node, Process process) {
        var out = new WireWriter().uuid(process.run()).u8(code(process.phase()));
        out.i64(process.generation()).i32(process.earlier().size());
        process.earlier().forEach(out::uuid);
        store.map(Table.FORMATION).put(node, out.toBytes());
    }

    private static int code(Phase phase) {
        return switch (phase) {
            case BOOTED -> 1;
            case FOUNDED -> 2;
            case JOINED -> 3;
        };
    }

    private static Phase phase(int code) {
        return switch (code) {
            case 1 -> Phase.BOOTED;
            case 2 -> Phase.FOUNDED;
            case 3 -> Phase.JOINED;
            default -> throw new MalformedException("Unknown phase " + code);
        };
    }
}
