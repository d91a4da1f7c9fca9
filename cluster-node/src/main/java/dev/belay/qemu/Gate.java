package dev.belay.qemu;

import dev.belay.clock.BootClock;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's own lock on what guests send (safety.md 10). An ingress chain on each tap drops
 * everything unless the tap is in the set {@code open}, whose elements time out by themselves. So a
 * QEMU that was stopped beyond its lease and resumes is mute, whatever its leash does.
 *
 * <p>The family is {@code netdev}, which every kernel with nftables has; packets are dropped before
 * the bridge sees them.
 */
final class Gate {
    private static final Logger log = LoggerFactory.getLogger(Gate.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final long NANOS_PER_MILLI = 1_000_000;

    private static final int ATTEMPTS = 3;

    /** QEMU announces with it where a guest went. */
    private static final String RARP = "0x8035";

    /** Instead of a deadline: closed, and no grant opens it. */
    private static final long MUTE = -1;

    /** Not virtual: a grant must not wait for a carrier, as in Leash. */
    private static final Executor RENEWER =
            Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("gate").factory());

    private final String table;
    private final OpenSet open;

    /** Every tap under guard, with the deadline until which it may be open; 0: closed. */
    private final Map<String, Long> deadlines = new ConcurrentHashMap<>();

    /**
     * Whether only what COLO compares gets out, and what tells switches and neighbours where the
     * guest is: the rest it does not hold back (safety.md 23). Nothing for a tap: as an earlier
     * process of the node had it.
     */
    private final Map<String, Boolean> comparedOnly = new ConcurrentHashMap<>();

    private final AtomicBoolean renewalWanted = new AtomicBoolean();
    private final ReentrantLock changing = new ReentrantLock();

    /** Guarded by the lock. */
    private final KernelDelay delay;

    Gate(String table, Duration margin) {
        this.table = table;
        this.open = new OpenSet(table, "open");
        this.delay = new KernelDelay(margin.toNanos());
    }

    /** Why there can be no gate on this server. */
    static Optional<String> problem() {
        var result =
                Tool.run(
                        LIMIT,
                        "add table netdev belay_probe\n"
                                + "add set netdev belay_probe open { type ifname; flags timeout; }\n",
                        // -c: the kernel tries it and takes it back.
                        List.of("nft", "-c", "-f", "-"));
        return result.ok()
                ? Optional.empty()
                : Optional.of(
                        "The output of guests cannot be gated: nft says '"
                                + result.complaint()
                                + "'. Install the package nftables, run the node as root, and use a kernel with NF_TABLES_NETDEV.");
    }

    /**
     * Guards the taps, closed. They must exist.
     *
     * @param onlyCompared nothing gets out that COLO does not compare
     */
    void guard(Collection<String> taps, boolean onlyCompared) {
        if (taps.isEmpty()) {
            return;
        }
        taps.forEach(tap -> {
            deadlines.put(tap, 0L);
            comparedOnly.put(tap, onlyCompared);
        });
        changing.lock();
        try {
            var result = nft(chains(taps));
            if (!result.ok()) {
                taps.forEach(deadlines::remove);
                taps.forEach(comparedOnly::remove);
                throw new HypervisorException(
                        "The output of the guest cannot be gated: " + result.complaint(), true);
            }
        } finally {
            changing.unlock();
        }
    }

    /** Whether this process knows the tap to be guarded so. */
    boolean guards(String tap, boolean onlyCompared) {
        return deadlines.containsKey(tap)
                && Boolean.valueOf(onlyCompared).equals(comparedOnly.get(tap));
    }

    /** Lets nothing through, until it is opened again; the guard stays. */
    void close(Collection<String> taps) {
        if (taps.isEmpty()) {
            return;
        }
        changing.lock();
        try {
            taps.forEach(tap -> deadlines.computeIfPresent(tap, (_, _) -> 0L));
            open.remove(taps).ifPresent(problem -> log.debug("Closing the gate: {}", problem));
        } finally {
            changing.unlock();
        }
    }

    /** Counts taps as guarded that an earlier process of the node guarded. Opens nothing. */
    void adopt(Collection<String> taps) {
        taps.forEach(tap -> deadlines.putIfAbsent(tap, 0L));
    }

    /** Closes the taps until {@link #unmute}, whatever is granted. Returns at once. */
    void mute(Collection<String> taps) {
        if (taps.isEmpty()) {
            return;
        }
        taps.forEach(tap -> deadlines.computeIfPresent(tap, (_, _) -> MUTE));
        Thread.ofPlatform()
                .daemon()
                .name("gate-mute")
                .start(() -> {
                    changing.lock();
                    try {
                        closeInKernel(taps);
                    } finally {
                        changing.unlock();
                    }
                });
    }

    /** What fails closes by itself when the lease is over, which is later than wanted. */
    private void closeInKernel(Collection<String> taps) {
        for (var attempt = 1; attempt <= ATTEMPTS; attempt++) {
            var problem = open.remove(taps);
            if (problem.isEmpty()) {
                return;
            }
            log.warn("The gate of {} could not be closed: {}", taps, problem.get());
        }
    }

    /** Grants count again for the taps; they stay closed until the next. */
    void unmute(Collection<String> taps) {
        taps.forEach(tap ->
                deadlines.computeIfPresent(tap, (_, old) -> old == MUTE ? Long.valueOf(0) : old));
    }

    /** From here on guarded taps let out only what COLO compares, or everything. */
    void letOut(Collection<String> taps, boolean onlyCompared) {
        changing.lock();
        try {
            var others =
                    taps.stream()
                            .filter(deadlines::containsKey)
                            .filter(tap -> !guards(tap, onlyCompared))
                            .toList();
            if (others.isEmpty()) {
                return;
            }
            var result = nft(chains(others, _ -> onlyCompared));
            if (!result.ok()) {
                throw new HypervisorException(
                        "What of the guest's output is let out cannot be changed, its IPv6 say: "
                                + result.complaint(),
                        true);
            }
            others.forEach(tap -> comparedOnly.put(tap, onlyCompared));
        } finally {
            changing.unlock();
        }
    }

    /** Opens the taps until the deadline, and returns once the kernel knows. */
    void openNow(Collection<String> taps, long deadline) {
        if (taps.isEmpty()) {
            return;
        }
        permit(taps, deadline);
        if (!renew()) {
            throw new HypervisorException(
                    "The gate of the guest's output could not be opened in time.", true);
        }
    }

    /** Like openNow, but returns at once. */
    void open(Collection<String> taps, long deadline) {
        if (taps.isEmpty()) {
            return;
        }
        permit(taps, deadline);
        if (renewalWanted.compareAndSet(false, true)) {
            RENEWER.execute(this::renew);
        }
    }

    private void permit(Collection<String> taps, long deadline) {
        taps.forEach(tap ->
                deadlines.computeIfPresent(
                        tap,
                        (_, old) -> old == MUTE ? old : Long.valueOf(Math.max(old, deadline))));
    }

    /** Under load this itself takes long, and more of the lease must be given away for it. */
    private boolean renew() {
        changing.lock();
        try {
            renewalWanted.set(false);
            for (var attempt = 1; attempt <= ATTEMPTS; attempt++) {
                var begun = BootClock.nanos();
                var allowance = delay.allowance(longest() - begun);
                var timeouts = timeouts(begun, allowance);
                if (timeouts.isEmpty()) {
                    return false;
                }
                var problem = open.renew(timeouts);
                var duration = BootClock.nanos() - begun;
                delay.took(duration);
                // The kernel counts from when it got the order, now at the latest.
                if (problem.isEmpty() && duration <= allowance) {
                    return true;
                }
                problem.ifPresent(this::rebuild);
            }
            log.warn("Renewing the gate takes too long; it stays closed until the next grant");
            open.remove(deadlines.keySet());
            return false;
        } finally {
            changing.unlock();
        }
    }

    /** Somebody flushed the rules, a firewall's restart for one: nothing guards. */
    private void rebuild(String problem) {
        log.warn("The gate is gone or broken, building it anew: {}", problem);
        var result = nft(chains(deadlines.keySet()));
        if (!result.ok()) {
            log.error("The gate cannot be built: {}", result.complaint());
        }
    }

    private long longest() {
        return deadlines.values().stream().mapToLong(Long::longValue).max().orElse(MUTE);
    }

    /** How many milliseconds each tap may stay open from now on. */
    private Map<String, Long> timeouts(long now, long allowance) {
        var timeouts = new HashMap<String, Long>();
        deadlines.forEach((tap, deadline) -> {
            var millis = (deadline - allowance - now) / NANOS_PER_MILLI;
            if (millis > 0) {
                timeouts.put(tap, millis);
            }
        });
        return timeouts;
    }

    private String chains(Collection<String> taps) {
        return chains(taps, tap -> comparedOnly.getOrDefault(tap, true));
    }

    private String chains(Collection<String> taps, Predicate<String> onlyCompared) {
        var lines = new StringBuilder();
        lines.append("add table netdev %s\n".formatted(table));
        lines.append("add set netdev %s open { type ifname; flags timeout; }\n".formatted(table));
        for (var tap : taps) {
            lines.append(
                    """
                    add chain netdev %1$s %2$s { type filter hook ingress device "%2$s" priority -500; policy drop; }
                    flush chain netdev %1$s %2$s
                    %3$sadd rule netdev %1$s %2$s iifname @open accept
                    """
                            .formatted(table, tap, onlyCompared.test(tap) ? noOther(tap) : ""));
        }
        return lines.toString();
    }

    /** IPv4 with a VLAN tag is not compared either, and its type is that of the tag. */
    private String noOther(String tap) {
        return "add rule netdev %s %s ether type != ip ether type != arp ether type != %s counter drop\n"
                .formatted(table, tap, RARP);
    }

    /** Forgets the taps; to be called when they are gone or nobody can send through them. */
    void release(Collection<String> taps) {
        changing.lock();
        try {
            for (var tap : taps) {
                deadlines.remove(tap);
                comparedOnly.remove(tap);
                // Either may be gone with the tap, depending on the kernel.
                open.remove(List.of(tap));
                nft("delete chain netdev %s %s\n".formatted(table, tap));
            }
        } finally {
            changing.unlock();
        }
    }

    void destroy() {
        changing.lock();
        try {
            deadlines.clear();
            comparedOnly.clear();
            nft("add table netdev %1$s\ndelete table netdev %1$s\n".formatted(table));
        } finally {
            changing.unlock();
        }
    }

    private static Tool.Result nft(String commands) {
        return Tool.run(LIMIT, commands, List.of("nft", "-f", "-"));
    }
}
