package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The cables, switches and namespaces of one lab.
 *
 * <pre>
 *   this machine            node's namespace          switch's namespace
 *   blycN (10.91.N.1) ==== up0 in br0 (10.91.N.x)
 *                           cl0 (10.90.N.x) ========== c-NODE in "cluster"
 * </pre>
 *
 * <p>What is cut lives in the switch's packet filter: two sets of ports, from which and to which
 * nothing is forwarded, and one of pairs of ports, between which nothing is. Neither end of a cable
 * can tell, which is the point.
 */
final class LabNetwork {
    private static final String ALIAS = "belay-lab ";
    private static final String FILTER =
            """
            table bridge belay {
              set from { type ifname; }
              set to { type ifname; }
              set between { type ifname . ifname; }
              chain cut {
                type filter hook forward priority -300; policy accept;
                iifname @from drop
                oifname @to drop
                iifname . oifname @between drop
              }
            }
            """;

    private final LabState lab;
    private final String switchNamespace;
    private final String bridge;

    LabNetwork(LabState lab) {
        this.lab = lab;
        this.switchNamespace = LabPlan.switchNamespace(lab.name());
        this.bridge = LabPlan.clientBridge(lab.number());
    }

    /** A lab that has a bridge on this machine, whether or not its files are still there. */
    record Trace(String lab, Path home, int number) {}

    /** Both networks, with nothing plugged in yet. */
    void create(Path home) {
        Shell.feed(
                """
                link add name %1$s address %2$s type bridge stp_state 0 forward_delay 0
                link set dev %1$s alias "%3$s"
                addr add %4$s/24 dev %1$s
                """
                        .formatted(
                                bridge,
                                LabPlan.mac(lab.number(), 2, 0),
                                ALIAS + lab.name() + " " + home,
                                LabPlan.gateway(lab.number())),
                "ip",
                "-batch",
                "-");
        tune("/proc/sys/net/ipv6/conf/" + bridge + "/disable_ipv6", "1");
        // A guest that comes back is to be found at once, not at ARP's pace of a second.
        tune("/proc/sys/net/ipv4/neigh/" + bridge + "/retrans_time_ms", "100");
        Shell.run("ip", "link", "set", "dev", bridge, "up");
        Shell.run("ip", "netns", "add", switchNamespace);
        silenceIpv6(switchNamespace);
        Shell.feed(
                """
                link add name cluster type bridge stp_state 0 forward_delay 0
                link set dev cluster up
                """,
                "ip",
                "-n",
                switchNamespace,
                "-batch",
                "-");
        filter(FILTER);
    }

    /** A node's namespace and its two cables. */
    void plug(LabState.Node node) {
        var namespace = LabPlan.namespace(lab.name(), node.name());
        var uplink = LabPlan.uplink(lab.number(), node.index());
        Shell.run("ip", "netns", "add", namespace);
        silenceIpv6(namespace);
        Shell.feed(
                """
                link add name %1$s type veth peer name up0 netns %2$s
                link set dev %1$s master %3$s
                link set dev %1$s up
                """
                        .formatted(uplink, namespace, bridge),
                "ip",
                "-batch",
                "-");
        Shell.feed(
                """
                link add name %1$s type veth peer name cl0 netns %2$s
                link set dev %1$s master cluster
                link set dev %1$s up
                """
                        .formatted(LabPlan.port(node.name()), namespace),
                "ip",
                "-n",
                switchNamespace,
                "-batch",
                "-");
        Shell.feed(
                """
                link set dev lo up
                link set dev cl0 address %1$s
                addr add %2$s/24 dev cl0
                link set dev cl0 up
                link add name br0 address %3$s type bridge stp_state 0 forward_delay 0
                link set dev up0 master br0
                link set dev up0 up
                addr add %4$s/24 dev br0
                link set dev br0 up
                """
                        .formatted(
                                LabPlan.mac(lab.number(), 0, node.index()),
                                node.clusterAddress(),
                                LabPlan.mac(lab.number(), 1, node.index()),
                                node.clientAddress()),
                "ip",
                "-n",
                namespace,
                "-batch",
                "-");
    }

    /**
     * Both cables go dead at this machine's ends: from here on the node reaches nobody, not even
     * with the FIN and RST that its kernel sends for processes that die.
     *
     * @return when that began, without the time that it takes to start the commands
     */
    Instant dropLinks(LabState.Node node) {
        var micros =
                Shell.run(
                        "bash",
                        "-c",
                        "LC_ALL=C; echo $EPOCHREALTIME\n"
                                + "ip -n \"$0\" link set dev \"$1\" down & cluster=$!\n"
                                + "ip link set dev \"$2\" down || exit 1\n"
                                + "wait $cluster",
                        switchNamespace,
                        LabPlan.port(node.name()),
                        LabPlan.uplink(lab.number(), node.index()));
        return Instant.EPOCH.plus(
                Long.parseLong(micros.strip().replace(".", "")), ChronoUnit.MICROS);
    }

    /**
     * Takes a node's cables and namespace away. The cables go first and by name: sockets of killed
     * processes can keep a nameless namespace alive for a while.
     */
    void unplug(LabState.Node node) {
        Shell.attempt("", "ip", "link", "del", LabPlan.uplink(lab.number(), node.index()));
        Shell.attempt("", "ip", "-n", switchNamespace, "link", "del", LabPlan.port(node.name()));
        Shell.attempt("", "ip", "netns", "del", LabPlan.namespace(lab.name(), node.name()));
    }

    /** Adds to what is cut already. */
    void cut(LabState.Node node, boolean in, boolean out) {
        filter((out ? element("add", "from", node) : "") + (in ? element("add", "to", node) : ""));
    }

    /** Only what one of the two sends to the other; adds to what is cut already. */
    void cut(LabState.Node node, LabState.Node other, boolean in, boolean out) {
        filter((out ? between("add", node, other) : "") + (in ? between("add", other, node) : ""));
    }

    /** Adds before it deletes, as what is not there cannot be deleted. */
    void heal(LabState.Node node) {
        var ports =
                Stream.of("from", "to")
                        .map(set -> element("add", set, node) + element("delete", set, node));
        var pairs =
                lab.nodes().stream()
                        .filter(other -> !other.name().equals(node.name()))
                        .map(other ->
                                Stream.of("add", "delete")
                                        .map(verb ->
                                                between(verb, node, other)
                                                        + between(verb, other, node))
                                        .collect(Collectors.joining()));
        filter(Stream.concat(ports, pairs).collect(Collectors.joining()));
    }

    private static String element(String verb, String set, LabState.Node node) {
        return "%s element bridge belay %s { \"%s\" }\n"
                .formatted(verb, set, LabPlan.port(node.name()));
    }

    private static String between(String verb, LabState.Node from, LabState.Node to) {
        return "%s element bridge belay between { \"%s\" . \"%s\" }\n"
                .formatted(verb, LabPlan.port(from.name()), LabPlan.port(to.name()));
    }

    private void filter(String commands) {
        Shell.feed(commands, "ip", "netns", "exec", switchNamespace, "nft", "-f", "-");
    }

    /** What is cut of each node's cluster network, by node. */
    Map<String, LabStatus.Link> links() {
        var to = ports("to");
        var from = ports("from");
        var pairs = elements(switchNamespace, "list", "set", "bridge", "belay", "between");
        return lab.nodes().stream()
                .collect(
                        Collectors.toMap(
                                LabState.Node::name,
                                node -> {
                                    var port = LabPlan.port(node.name());
                                    var link =
                                            LabStatus.Link.of(
                                                    to.contains(port), from.contains(port));
                                    return link == LabStatus.Link.UP && pairs.contains(port)
                                            ? LabStatus.Link.CUT_PAIR
                                            : link;
                                }));
    }

    private List<String> ports(String set) {
        return elements(switchNamespace, "list", "set", "bridge", "belay", set);
    }

    /** Taps behind gates that are open now, of the servers' own packet filters. */
    static List<String> openTaps(String namespace) {
        return elements(namespace, "list", "sets", "netdev");
    }

    /**
     * What is in sets of interfaces, each of a pair by itself; nothing when there is no such set,
     * or namespace.
     */
    private static List<String> elements(String namespace, String... listing) {
        var command = new ArrayList<>(List.of("ip", "netns", "exec", namespace, "nft", "-j"));
        command.addAll(List.of(listing));
        var answer = Shell.attempt("", command.toArray(String[]::new));
        var names = new ArrayList<String>();
        if (answer.isOk()) {
            for (var list : json(answer.out()).findValues("elem")) {
                list.forEach(element -> names(element, names));
            }
        }
        return names;
    }

    private static void names(JsonNode element, List<String> names) {
        // An element with a time-out is an object itself, its name within.
        var value = element.path("elem").path("val");
        var name = value.isMissingNode() ? element : value;
        if (name.has("concat")) {
            name.path("concat").forEach(part -> names.add(part.asText()));
        } else {
            names.add(name.asText());
        }
    }

    private static void silenceIpv6(String namespace) {
        // Without it every cable chatters, and a counter of packets counts chatter.
        Shell.attempt(
                "",
                "ip",
                "netns",
                "exec",
                namespace,
                "sh",
                "-c",
                "for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done");
    }

    private static void tune(String file, String value) {
        try {
            Files.writeString(Path.of(file), value);
        } catch (IOException e) {
            // Better with it; works without.
        }
    }

    /** Every lab that has a bridge here. */
    static List<Trace> traces() {
        var traces = new ArrayList<Trace>();
        for (var link : json(Shell.run("ip", "-j", "link", "show", "type", "bridge"))) {
            trace(link).ifPresent(traces::add);
        }
        return traces;
    }

    /** Numbers whose bridge name is taken, by a lab or by somebody else. */
    static List<Integer> takenNumbers() {
        var taken = new ArrayList<Integer>();
        for (int number = 0; number <= LabPlan.HIGHEST_NUMBER; number++) {
            if (Files.exists(Path.of("/sys/class/net", LabPlan.clientBridge(number)))) {
                taken.add(number);
            }
        }
        return taken;
    }

    private static Optional<Trace> trace(JsonNode link) {
        var alias = link.path("ifalias").asText();
        var words = alias.split(" ", 3);
        var name = link.path("ifname").asText();
        if (!alias.startsWith(ALIAS) || words.length < 3 || !name.matches("blyc[0-9]{1,2}")) {
            return Optional.empty();
        }
        return Optional.of(
                new Trace(words[1], Path.of(words[2]), Integer.parseInt(name.substring(4))));
    }

    /** Kills and removes whatever this machine's kernel still has of a lab. */
    static void removeAll(String lab) {
        var mine = new ArrayList<String>();
        for (var namespace : NodeProcesses.namespaces()) {
            var node = namespace.substring(namespace.lastIndexOf('-') + 1);
            if (namespace.equals(LabPlan.namespace(lab, node))) {
                mine.add(namespace);
            }
        }
        // Two rounds: a node that still lives must not start anything in another's namespace.
        mine.forEach(namespace -> new NodeProcesses(namespace).kill());
        // Cables by name, as sockets of killed processes can keep a nameless namespace alive for a
        // while; the bridge last, as it tells a later `up` that there is something to remove.
        var bridges =
                traces().stream()
                        .filter(trace -> trace.lab.equals(lab))
                        .map(trace -> LabPlan.clientBridge(trace.number))
                        .toList();
        for (var bridge : bridges) {
            for (var link : json(Shell.run("ip", "-j", "link", "show", "master", bridge))) {
                Shell.attempt("", "ip", "link", "del", link.path("ifname").asText());
            }
        }
        mine.forEach(namespace -> Shell.run("ip", "netns", "del", namespace));
        bridges.forEach(bridge -> Shell.run("ip", "link", "del", bridge));
    }

    private static JsonNode json(String text) {
        try {
            return LabStore.JSON.readTree(text.isBlank() ? "[]" : text);
        } catch (JsonProcessingException e) {
            throw new LabException("cannot read what the system printed: " + text, e);
        }
    }
}
