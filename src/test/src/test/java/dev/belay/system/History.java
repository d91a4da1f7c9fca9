package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the world saw of one VM while faults went on, and whether that could be.
 *
 * <p>Three kinds of witnesses run until it is closed: one in the network of each server and one
 * outside ask port 9 which boot of the guest answers there; one looks whether two servers let a
 * QEMU of the VM be heard ({@link OpenGates}); one appends lines to the guest's shared disk.
 */
final class History implements AutoCloseable {
    private static final long BETWEEN_LOOKS_MILLIS = 100;

    private final Lab lab;
    private final String vm;
    private final Guest guest;
    private final OpenGates gates;
    private final List<Thread> witnesses = new ArrayList<>();
    private final List<Sighting> sightings = new ArrayList<>();
    private final List<Long> acknowledged = new ArrayList<>();
    private volatile boolean closed;

    /**
     * A boot of the guest answered.
     *
     * @param from when it was asked, in ns
     * @param to when the answer was there
     */
    private record Sighting(String boot, String askedFrom, long from, long to) {}

    private History(Lab lab, String vm, Guest guest) {
        this.lab = lab;
        this.vm = vm;
        this.guest = guest;
        this.gates = new OpenGates(lab, vm);
    }

    /** Lines are appended, and looked for, only where the disk is shared: others come anew. */
    static History of(Lab lab, String vm, Guest guest, TestVm.Disk disk) {
        var history = new History(lab, vm, guest);
        for (var server : lab.servers()) {
            history.start("asks on " + server, () -> history.askFrom(server));
        }
        history.start("asks outside", () -> history.ask("outside"));
        if (disk == TestVm.Disk.SHARED) {
            history.start("appends", history::append);
        }
        return history;
    }

    private void start(String what, Runnable look) {
        witnesses.add(
                Thread.ofPlatform()
                        .daemon()
                        .name(what)
                        .start(() -> {
                            while (!closed) {
                                look.run();
                                try {
                                    Thread.sleep(BETWEEN_LOOKS_MILLIS);
                                } catch (InterruptedException e) {
                                    return;
                                }
                            }
                        }));
    }

    private void askFrom(String server) {
        // Each time: after a power cut the server comes back with a new one.
        if (Namespace.enter(lab.namespace(server))) {
            ask(server);
        }
    }

    private void ask(String where) {
        var from = System.nanoTime();
        guest.bootId()
                .ifPresent(boot -> {
                    synchronized (this) {
                        sightings.add(new Sighting(boot, where, from, System.nanoTime()));
                    }
                });
    }

    private void append() {
        guest.append("line")
                .ifPresent(number -> {
                    synchronized (this) {
                        acknowledged.add(number);
                    }
                });
    }

    /** How many boots of the guest were seen. */
    synchronized long boots() {
        return sightings.stream().map(Sighting::boot).distinct().count();
    }

    /** Fails if two copies were active, or if a line is lost whose writing was acknowledged. */
    synchronized void check() {
        assertThat(sightings).as("sightings of %s", vm).isNotEmpty();
        assertThat(twoAtOnce()).as("boots of %s that answered at the same time", vm).isEmpty();
        gates.check();
        assertThat(acknowledged)
                .as("numbers of acknowledged lines: a lost line's number comes again")
                .isSorted()
                .doesNotHaveDuplicates();
        if (!acknowledged.isEmpty()) {
            assertThat(guest.lines())
                    .as("lines on the disk")
                    .isGreaterThanOrEqualTo(acknowledged.getLast());
        }
    }

    /** A boot that answered a question asked after a later boot had answered. */
    private List<String> twoAtOnce() {
        Map<String, List<Sighting>> byBoot = new LinkedHashMap<>();
        sightings.stream()
                .sorted(Comparator.comparingLong(Sighting::to))
                .forEach(seen ->
                        byBoot.computeIfAbsent(seen.boot, _ -> new ArrayList<>()).add(seen));
        var wrong = new ArrayList<String>();
        var boots = new ArrayList<>(byBoot.values());
        for (int later = 1; later < boots.size(); later++) {
            var first = boots.get(later).getFirst();
            for (var earlier : boots.subList(0, later)) {
                earlier.stream()
                        .filter(seen -> seen.from > first.to)
                        .map(seen ->
                                "%s answered %d ms after %s had"
                                        .formatted(seen, (seen.from - first.to) / 1_000_000, first))
                        .forEach(wrong::add);
            }
        }
        return wrong;
    }

    @Override
    public void close() {
        closed = true;
        gates.close();
        witnesses.forEach(Thread::interrupt);
    }
}
