package dev.belay.explore;

import dev.belay.decision.Qemu;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.LeaseTerms;
import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What does not change in a world.
 *
 * @param lease in ticks of virtual time, from the sending of the request
 * @param margin ticks that a waiter waits longer than the longest lease
 * @param second ticks of a second, for the pauses that decisions ask for; 0: every pause is a tick
 * @param agents whether the servers have a fence agent
 * @param shared whether the VMs' disks are shared by the servers
 * @param level of the VMs; at SYSTEM each has a disk that is mirrored
 * @param off rules that are switched off
 */
public record Setup(
        List<ServerName> servers,
        List<VmName> vms,
        int lease,
        int margin,
        int second,
        boolean agents,
        boolean shared,
        Level level,
        Set<Rule> off) {
    static final int MEMORY = 1024;
    static final int SERVER_MEMORY = 8192;

    /** Of all servers, and proven: which may pair is for examples, not for a search. */
    static final Qemu QEMU = new Qemu("11.1.3", "pc", "kvm", "default", Optional.empty());

    /**
     * Ticks without a word of the other one of a pair that are borne. Less than a lease, and two at
     * least: whoever looks once a tick must not seem to have slept.
     */
    static final int SILENCE = 2;

    private static final DiskSpec DISK =
            new DiskSpec("root", DiskKind.MIRRORED, Optional.empty(), "raw", 64);
    private static final List<String> SERVER_NAMES =
            List.of("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta");
    private static final List<String> VM_NAMES =
            List.of("web", "mail", "db", "wiki", "git", "chat", "cache", "proxy");
    static final int MOST = SERVER_NAMES.size();

    public Setup {
        servers = List.copyOf(servers);
        vms = List.copyOf(vms);
        off = Set.copyOf(off);
    }

    static Setup of(int servers, int vms, Set<Rule> off) {
        return of(servers, vms, Level.RESTART, off);
    }

    static Setup of(int servers, int vms, Level level, Set<Rule> off) {
        return new Setup(
                SERVER_NAMES.subList(0, servers).stream().map(ServerName::new).toList(),
                VM_NAMES.subList(0, vms).stream().map(VmName::new).toList(),
                6,
                2,
                2,
                true,
                false,
                level,
                off);
    }

    /** Time as coarse as it can be, so that a search sees much of it. */
    Setup coarse() {
        return new Setup(servers, vms, 2, 2, 0, agents, shared, level, off);
    }

    Setup with(boolean fenceAgents, boolean sharedDisks) {
        return new Setup(servers, vms, lease, margin, second, fenceAgents, sharedDisks, level, off);
    }

    boolean isCoarse() {
        return second == 0;
    }

    /** Messages that may be on their way in a search of all orders; a pair says more. */
    int mostMessages() {
        return pairs() ? 4 : 6;
    }

    /** Whether the VMs run on two servers. */
    boolean pairs() {
        return level == Level.SYSTEM;
    }

    boolean holds(Rule rule) {
        return !off.contains(rule);
    }

    int proofWait() {
        return holds(Rule.MARGIN) ? lease + margin : lease;
    }

    /** What servers say of their leases; a tick is a second there. */
    LeaseTerms terms() {
        return new LeaseTerms(
                Duration.ofSeconds(lease),
                Duration.ofSeconds(1),
                Duration.ofSeconds(proofWait() - lease));
    }

    /** A clock may gain or lose a tick once in so many. */
    int slipEvery() {
        return lease + margin + 1;
    }

    VmSpec spec(VmName vm) {
        return new VmSpec(
                vm,
                1,
                MEMORY,
                Optional.empty(),
                pairs() ? List.of(DISK) : List.of(),
                List.of(),
                level,
                Placement.ANYWHERE,
                0);
    }

    int server(ServerName name) {
        return servers.indexOf(name);
    }

    int vm(VmName name) {
        return vms.indexOf(name);
    }

    static Set<Rule> parse(List<Rule> rules) {
        return rules.isEmpty()
                ? EnumSet.noneOf(Rule.class)
                : EnumSet.copyOf(new ArrayList<>(rules));
    }
}
