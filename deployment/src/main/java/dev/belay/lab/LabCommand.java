package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code belay lab …}: a thin shell around {@link Lab}. Exit codes: 0 done, 1 failed, 2 usage. */
@Command(
        name = "lab",
        mixinStandardHelpOptions = true,
        description = {
            "A real cluster on this machine, to try things out and to break them.",
            "Every node is a JVM of its own in a network namespace of its own. Needs root."
        },
        subcommands = {
            LabCommand.Up.class,
            LabCommand.StatusOf.class,
            LabCommand.ListAll.class,
            LabCommand.Kill.class,
            LabCommand.Crash.class,
            LabCommand.Pause.class,
            LabCommand.Resume.class,
            LabCommand.Cut.class,
            LabCommand.Heal.class,
            LabCommand.Start.class,
            LabCommand.Vm.class,
            LabCommand.Logs.class,
            LabCommand.Down.class
        })
public final class LabCommand implements Runnable {
    private static final String DEFAULT_NAME = "lab";

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "what should the lab do?");
    }

    /**
     * Makes a command line print {@link LabException}s as one message and exit with 1. For the
     * command line that this command is a part of.
     */
    public static CommandLine plainErrors(CommandLine line) {
        return line.setExecutionExceptionHandler((problem, command, _) -> {
            if (!(problem instanceof LabException)) {
                throw problem;
            }
            command.getErr().println("belay: " + problem.getMessage());
            command.getErr().flush();
            return 1;
        });
    }

    /** What all subcommands take. */
    static final class Common {
        @Spec(Spec.Target.MIXEE)
        private CommandSpec spec = CommandSpec.create();

        @Option(
                names = {"--name", "--lab"},
                paramLabel = "LAB",
                defaultValue = DEFAULT_NAME,
                description = "Which lab (default: ${DEFAULT-VALUE}).")
        private String name = DEFAULT_NAME;

        @Option(names = "--json", description = "Print the outcome as JSON.")
        private boolean json;

        private final Elapsed progress = new Elapsed(System.err);

        Lab lab() {
            return Lab.open(name).saying(progress);
        }

        PrintWriter out() {
            return spec.commandLine().getOut();
        }

        ObjectNode object() {
            return LabStore.JSON.createObjectNode();
        }

        int print(JsonNode json, String text) {
            try {
                out().println(this.json ? LabStore.JSON.writeValueAsString(json) : text);
                out().flush();
                return 0;
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }

        /** The usual outcome of a fault: what was done to which node. */
        int done(String node, String action, String text) {
            return print(object().put("name", name).put("node", node).put("action", action), text);
        }

        /** What a fault did, and when. */
        int done(String node, String action, String text, Instant at) {
            return print(
                    object().put("name", name)
                            .put("node", node)
                            .put("action", action)
                            .put("killedAt", at.toEpochMilli()),
                    text + " at " + at);
        }
    }

    /** The node that a subcommand is about. */
    static final class Node {
        @Parameters(paramLabel = "NODE", description = "A node, as `belay lab status` names it.")
        private String name = "";
    }

    static JsonNode json(Lab.Status status) {
        var json = LabStore.JSON.createObjectNode().put("name", status.name());
        var nodes = json.putArray("nodes");
        for (var node : status.nodes()) {
            var entry =
                    nodes.addObject()
                            .put("name", node.name())
                            .put("role", node.role())
                            .put("state", node.state().word())
                            .put("api", node.api().toString())
                            .put("link", node.link().word())
                            .put("voter", node.voter())
                            .put("boots", node.boots())
                            .put("why", node.why());
            node.jvm().ifPresent(pid -> entry.put("pid", pid));
        }
        return json;
    }

    static String table(Lab.Status status) {
        var text = new StringBuilder("Lab " + status.name() + "\n");
        var format = "  %-10s %-8s %-10s %-8s %-24s %s%n";
        text.append(format.formatted("NODE", "ROLE", "STATE", "LINK", "API", "").stripTrailing());
        for (var node : status.nodes()) {
            text.append('\n')
                    .append(
                            format.formatted(
                                            node.name(),
                                            node.role(),
                                            node.state().word(),
                                            node.link().word(),
                                            node.api(),
                                            node.why())
                                    .stripTrailing());
        }
        return text.toString();
    }

    @Command(
            name = "up",
            mixinStandardHelpOptions = true,
            description = {
                "Starts a lab and waits till every node is ready.",
                "First removes what killed labs have left behind."
            })
    static final class Up implements Callable<Integer> {
        @Mixin private Common common = new Common();

        @Option(
                names = "--servers",
                defaultValue = "2",
                description = "Nodes that run VMs, 1 to 10 (default: ${DEFAULT-VALUE}).")
        private int servers;

        @Option(
                names = "--witnesses",
                defaultValue = "1",
                description = "Nodes that only vote, 0 to 5 (default: ${DEFAULT-VALUE}).")
        private int witnesses;

        @Option(names = "--replace", description = "Take down a lab of that name first.")
        private boolean replace;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "60",
                description = "How long to wait for the nodes (default: ${DEFAULT-VALUE}).")
        private int timeout;

        @Override
        public Integer call() {
            var lab =
                    Lab.up(
                            LabOptions.of(common.name, servers, witnesses)
                                    .withReplace(replace)
                                    .withKeepFailed(true)
                                    .withPatience(Duration.ofSeconds(timeout))
                                    .withProgress(common.progress));
            var seconds = common.progress.seconds();
            var status = lab.status();
            common.progress.say("lab " + common.name + " is up");
            var json = (ObjectNode) json(status);
            json.put("tookMs", Math.round(seconds * 1000));
            var suffix = common.name.equals(DEFAULT_NAME) ? "" : " --name " + common.name;
            return common.print(
                    json,
                    table(status)
                            + String.format(
                                    Locale.ROOT,
                                    "%nUp in %.1f s. Next: `belay lab vm web%s`, `belay lab kill"
                                            + " %s%s`; to remove it: `belay lab down%s`.",
                                    seconds,
                                    suffix,
                                    lab.servers().getFirst(),
                                    suffix,
                                    suffix));
        }
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = {
                "Shows the nodes of a lab as they are now.",
                "States: ready, not-ready, restarting, paused, stopped, off."
            })
    static final class StatusOf implements Callable<Integer> {
        @Mixin private Common common = new Common();

        @Override
        public Integer call() {
            var status = common.lab().status();
            return common.print(json(status), table(status));
        }
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Shows all labs of this machine.")
    static final class ListAll implements Callable<Integer> {
        @Option(names = "--json", description = "Print the outcome as JSON.")
        private boolean json;

        @Spec private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws JsonProcessingException {
            var out = spec.commandLine().getOut();
            var labs = LabStore.JSON.createArrayNode();
            var text = new StringBuilder();
            for (var name : Lab.list()) {
                var status = Lab.open(name).status();
                labs.add(json(status));
                text.append(text.isEmpty() ? "" : "\n").append(table(status));
            }
            out.println(
                    json
                            ? LabStore.JSON.writeValueAsString(labs)
                            : text.isEmpty() ? "no lab; `belay lab up` starts one" : text);
            out.flush();
            return 0;
        }
    }

    @Command(
            name = "kill",
            mixinStandardHelpOptions = true,
            description = {
                "Cuts a node's power: its links drop first, silently, then everything on it is"
                        + " killed.",
                "Its disk stays. `belay lab start` powers it on again."
            })
    static final class Kill implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Option(
                names = "--process",
                description = "Kill everything that runs on it, but leave its links up.")
        private boolean process;

        @Override
        public Integer call() {
            var lab = common.lab();
            if (process) {
                var at = lab.killProcesses(node.name);
                return common.done(
                        node.name, "kill-process", "everything on " + node.name + " killed", at);
            }
            var at = lab.kill(node.name);
            return common.done(node.name, "kill", "power of " + node.name + " cut", at);
        }
    }

    @Command(
            name = "crash",
            mixinStandardHelpOptions = true,
            description = {
                "Kills a node's JVM; its guests go on.",
                "Its supervisor starts it again at once, as systemd does in production."
            })
    static final class Crash implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Option(
                names = "--no-restart",
                description = "Stop the supervisor, too: the JVM stays away until `lab start`.")
        private boolean noRestart;

        @Override
        public Integer call() {
            var lab = common.lab();
            var at = noRestart ? lab.crashForGood(node.name) : lab.crash(node.name);
            return common.done(node.name, "crash", "JVM of " + node.name + " killed", at);
        }
    }

    @Command(
            name = "pause",
            mixinStandardHelpOptions = true,
            description = "Stops everything on a node (SIGSTOP).")
    static final class Pause implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Override
        public Integer call() {
            common.lab().pause(node.name);
            return common.done(node.name, "pause", "everything on " + node.name + " is stopped");
        }
    }

    @Command(
            name = "resume",
            mixinStandardHelpOptions = true,
            description = "Lets a paused node go on (SIGCONT).")
    static final class Resume implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Override
        public Integer call() {
            common.lab().resume(node.name);
            return common.done(node.name, "resume", "everything on " + node.name + " goes on");
        }
    }

    @Command(
            name = "cut",
            mixinStandardHelpOptions = true,
            description = {
                "Lets a node's cluster network drop every packet, silently.",
                "The client network stays: its API and its guests can be reached."
            })
    static final class Cut implements Callable<Integer> {
        /** At most one of the two. */
        static final class Way {
            @Option(names = "--in", description = "Only what others send to it.")
            private boolean in;

            @Option(names = "--out", description = "Only what it sends.")
            private boolean out;
        }

        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @ArgGroup private Way way = new Way();

        @Override
        public Integer call() {
            var direction =
                    way.in ? Lab.Direction.IN : way.out ? Lab.Direction.OUT : Lab.Direction.BOTH;
            common.lab().cut(node.name, direction);
            return common.done(
                    node.name,
                    "cut",
                    switch (direction) {
                        case IN -> "nothing reaches " + node.name + " on the cluster network";
                        case OUT ->
                                "nothing that "
                                        + node.name
                                        + " sends on the cluster network arrives";
                        case BOTH -> "the cluster network of " + node.name + " is cut";
                    });
        }
    }

    @Command(
            name = "heal",
            mixinStandardHelpOptions = true,
            description = "Undoes every cut of a node.")
    static final class Heal implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Override
        public Integer call() {
            common.lab().heal(node.name);
            return common.done(
                    node.name, "heal", "the cluster network of " + node.name + " is whole");
        }
    }

    @Command(
            name = "start",
            mixinStandardHelpOptions = true,
            description = {
                "Starts a node that was killed or crashed, and waits till it is ready.",
                "After `kill` it is a new boot, after `crash` the same one."
            })
    static final class Start implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Option(names = "--no-wait", description = "Do not wait till it is ready.")
        private boolean noWait;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "60",
                description = "How long to wait (default: ${DEFAULT-VALUE}).")
        private int timeout;

        @Override
        public Integer call() {
            var lab = common.lab();
            if (!lab.start(node.name)) {
                return common.done(
                        node.name, "none", node.name + " runs already; nothing was changed");
            }
            if (!noWait) {
                lab.awaitReady(node.name, Duration.ofSeconds(timeout));
            }
            return common.done(
                    node.name, "start", node.name + (noWait ? " is started" : " is ready"));
        }
    }

    @Command(
            name = "vm",
            mixinStandardHelpOptions = true,
            description = {
                "Creates a VM of the test guest and waits till it answers.",
                "It echoes lines on port 7 of its address."
            })
    static final class Vm implements Callable<Integer> {
        /** In small letters, as everything on this command line. */
        static final class DiskName implements ITypeConverter<TestVm.Disk> {
            @Override
            public TestVm.Disk convert(String word) {
                for (var disk : TestVm.Disk.values()) {
                    if (disk.name().equalsIgnoreCase(word)) {
                        return disk;
                    }
                }
                throw new TypeConversionException(
                        "'" + word + "' is none of ephemeral, shared and none");
            }
        }

        @Mixin private Common common = new Common();

        @Parameters(paramLabel = "VM", description = "The name of the VM.")
        private String vm = "";

        @Option(
                names = "--level",
                defaultValue = "RESTART",
                description = "RESTART, COMPONENT or SYSTEM (default: ${DEFAULT-VALUE}).")
        private String level = "";

        @Option(
                names = "--memory",
                paramLabel = "MIB",
                defaultValue = "128",
                description = "Its memory in MiB (default: ${DEFAULT-VALUE}).")
        private int memory;

        @Option(
                names = "--disk",
                paramLabel = "KIND",
                defaultValue = "ephemeral",
                converter = DiskName.class,
                description =
                        "ephemeral, shared (a file of 64 MiB that all servers see) or none"
                                + " (default: ${DEFAULT-VALUE}).")
        private TestVm.Disk disk = TestVm.Disk.EPHEMERAL;

        @Option(names = "--no-wait", description = "Do not wait till the guest answers.")
        private boolean noWait;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "60",
                description = "How long to wait (default: ${DEFAULT-VALUE}).")
        private int timeout;

        @Override
        public Integer call() {
            var wanted =
                    TestVm.of(vm)
                            .withLevel(level)
                            .withMemoryMib(memory)
                            .withDisk(disk)
                            .withAwait(noWait ? Duration.ZERO : Duration.ofSeconds(timeout));
            var guest = common.lab().vm(wanted);
            return common.print(
                    common.object().put("name", guest.name()).put("address", guest.address()),
                    guest.name()
                            + (noWait ? " will answer at " : " answers at ")
                            + guest.address());
        }
    }

    @Command(
            name = "logs",
            mixinStandardHelpOptions = true,
            description = "Shows the last lines of a node's log.")
    static final class Logs implements Callable<Integer> {
        @Mixin private Common common = new Common();
        @Mixin private Node node = new Node();

        @Option(
                names = "--lines",
                defaultValue = "40",
                description = "How many lines (default: ${DEFAULT-VALUE}).")
        private int lines;

        @Override
        public Integer call() {
            var lab = common.lab();
            var log = lab.log(node.name);
            var last = lab.lastLogLines(node.name, lines);
            var json = common.object().put("node", node.name).put("file", log.toString());
            last.forEach(json.putArray("lines")::add);
            return common.print(json, String.join("\n", last) + "\n(" + log + ")");
        }
    }

    @Command(
            name = "down",
            mixinStandardHelpOptions = true,
            description = "Removes a lab: its processes, networks and files.")
    static final class Down implements Callable<Integer> {
        @Mixin private Common common = new Common();

        @Override
        public Integer call() {
            common.lab().down();
            return common.print(
                    common.object().put("name", common.name).put("removed", true),
                    "lab " + common.name + " is removed");
        }
    }
}
