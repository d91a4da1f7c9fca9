package dev.belay.lab;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names, addresses and votes of a lab, computed from three numbers. Touches nothing.
 *
 * <p>Lab {@code n} owns {@code 10.90.n.0/24} between its nodes (the cluster network) and {@code
 * 10.91.n.0/24} towards this machine and the guests (the client network).
 */
final class LabPlan {
    static final int HIGHEST_NUMBER = 99;
    static final int API_PORT = 7350;

    private static final List<String> SERVERS =
            List.of(
                    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel",
                    "india", "juliett");
    private static final int MOST_WITNESSES = 5;
    private static final int MOST_VOTERS = 5;
    private static final int FIRST_NODE = 11;
    private static final int FIRST_GUEST = 101;
    private static final int LAST_GUEST = 199;
    private static final Pattern LAB_NAME = Pattern.compile("[a-z][a-z0-9-]{0,19}");
    private static final Pattern VM_NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,39}");

    private LabPlan() {}

    /** What a node is there for. */
    enum Role {
        /** Runs VMs. */
        SERVER,
        /** Has a vote and runs nothing. */
        WITNESS;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One node as planned.
     *
     * @param index 0, 1, …: its place in the lab, and so its addresses
     */
    record Planned(String name, Role role, boolean voter, int index) {}

    /** Refuses a lab's name that would not do as a part of file, namespace and host names. */
    static String checkedLabName(String name) {
        if (!LAB_NAME.matcher(name).matches() || name.endsWith("-")) {
            throw new LabUsageException(
                    "'"
                            + name
                            + "' will not do as the name of a lab: it takes up to 20 small letters,"
                            + " digits and '-', a letter first");
        }
        return name;
    }

    static String checkedVmName(String name) {
        if (!VM_NAME.matcher(name).matches() || name.endsWith("-")) {
            throw new LabUsageException(
                    "'"
                            + name
                            + "' will not do as the name of a VM here: it takes up to 40 small"
                            + " letters, digits and '-'");
        }
        return name;
    }

    /**
     * Servers first, then witnesses. Votes: everybody where there are three nodes or fewer, else
     * three or five of them, whichever odd number fits; witnesses first, as they lose their vote
     * least often.
     */
    static List<Planned> nodes(int servers, int witnesses) {
        if (servers < 1 || servers > SERVERS.size()) {
            throw new LabUsageException(
                    "a lab has 1 to " + SERVERS.size() + " servers, not " + servers);
        }
        if (witnesses < 0 || witnesses > MOST_WITNESSES) {
            throw new LabUsageException(
                    "a lab has 0 to " + MOST_WITNESSES + " witnesses, not " + witnesses);
        }
        var voters = voters(servers + witnesses);
        var votingWitnesses = Math.min(witnesses, voters);
        var votingServers = voters - votingWitnesses;
        var nodes = new ArrayList<Planned>();
        for (int i = 0; i < servers; i++) {
            nodes.add(new Planned(SERVERS.get(i), Role.SERVER, i < votingServers, i));
        }
        for (int i = 0; i < witnesses; i++) {
            var name = i == 0 ? "witness" : "witness" + (i + 1);
            nodes.add(new Planned(name, Role.WITNESS, i < votingWitnesses, servers + i));
        }
        return List.copyOf(nodes);
    }

    private static int voters(int nodes) {
        if (nodes <= 3) {
            return nodes;
        }
        return nodes < MOST_VOTERS ? 3 : MOST_VOTERS;
    }

    static String clusterAddress(int number, int index) {
        return "10.90." + number + "." + (FIRST_NODE + index);
    }

    static String clientAddress(int number, int index) {
        return "10.91." + number + "." + (FIRST_NODE + index);
    }

    /** This machine's own address on the client network. */
    static String gateway(int number) {
        return "10.91." + number + ".1";
    }

    /** A locally administered MAC; fixed, so that a node that comes back is no stranger to ARP. */
    static String mac(int number, int network, int index) {
        return String.format(
                Locale.ROOT, "02:be:1a:%02x:%02x:%02x", number, network, FIRST_NODE + index);
    }

    /** The lowest guest address that nobody has. */
    static String freeGuestAddress(int number, Collection<String> taken) {
        for (int last = FIRST_GUEST; last <= LAST_GUEST; last++) {
            var address = "10.91." + number + "." + last;
            if (!taken.contains(address)) {
                return address;
            }
        }
        throw new LabException("all guest addresses of this lab are taken");
    }

    /** The lowest number that no lab has. */
    static int freeNumber(Collection<Integer> taken) {
        Set<Integer> used = new HashSet<>(taken);
        for (int number = 0; number <= HIGHEST_NUMBER; number++) {
            if (!used.contains(number)) {
                return number;
            }
        }
        throw new LabException(
                "there are "
                        + (HIGHEST_NUMBER + 1)
                        + " labs on this machine already; `belay lab list` shows them");
    }

    // Names of kernel objects. Interface names end at 15 characters, hence so short.

    static String switchNamespace(String lab) {
        return namespace(lab, "sw");
    }

    static String namespace(String lab, String node) {
        return "belay-" + lab + "-" + node;
    }

    static String clientBridge(int number) {
        return "blyc" + number;
    }

    /** This machine's end of a node's cable to the client network. */
    static String uplink(int number, int index) {
        return clientBridge(number) + "u" + index;
    }

    /** The switch's end of a node's cable to the cluster network. */
    static String port(String node) {
        return "c-" + node;
    }
}
