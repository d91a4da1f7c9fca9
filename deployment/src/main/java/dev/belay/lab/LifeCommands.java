package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Bringing labs up, looking at them, taking them down. */
final class LifeCommands {
    private LifeCommands() {}

    @Command(
            name = "up",
            mixinStandardHelpOptions = true,
            description = {
                "Starts a lab and waits till every node is ready.",
                "First removes what killed labs have left behind."
            })
    static final class Up implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();

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

        @Option(
                names = "--fence",
                paramLabel = "HOW",
                defaultValue = "off",
                converter = Words.FenceWord.class,
                description = {
                    "Give the servers fence agents: off (none), works (cuts the power and confirms),",
                    "hangs, lies (confirms and does nothing), missing (no such program)",
                    "(default: ${DEFAULT-VALUE})."
                })
        private Fence fence = Fence.OFF;

        @Option(
                names = "--fake-clock",
                description = "Give each node a wall clock of its own, for `belay lab clock`.")
        private boolean fakeClock;

        @Option(names = "--replace", description = "Take down a lab of that name first.")
        private boolean replace;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "60",
                converter = Words.CountWord.class,
                description = "How long to wait for the nodes (default: ${DEFAULT-VALUE}).")
        private int timeout;

        @Override
        public Integer call() {
            if (servers + witnesses == 2) {
                throw new LabUsageException(
                        "two nodes are no cluster, as neither could go on without the other: it"
                                + " takes three, `belay lab up --servers 2 --witnesses 1` say, or one"
                                + " alone");
            }
            var lab =
                    Lab.up(
                            LabOptions.of(common.name, servers, witnesses)
                                    .withFence(fence)
                                    .withFakeClock(fakeClock)
                                    .withReplace(replace)
                                    .withKeepFailed(true)
                                    .withPatience(Duration.ofSeconds(timeout))
                                    .withProgress(common.progress));
            var seconds = common.progress.seconds();
            var status = lab.status();
            common.progress.say("lab " + common.name + " is up");
            var json = (ObjectNode) StatusText.json(status);
            json.put("tookMs", Math.round(seconds * 1000));
            var suffix =
                    common.name.equals(CommonOptions.DEFAULT_NAME) ? "" : " --name " + common.name;
            return common.print(
                    json,
                    StatusText.table(status)
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
        @Mixin private CommonOptions common = new CommonOptions();

        @Override
        public Integer call() {
            var status = common.lab().status();
            return common.print(StatusText.json(status), StatusText.table(status));
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
                labs.add(StatusText.json(status));
                text.append(text.isEmpty() ? "" : "\n").append(StatusText.table(status));
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
            name = "start",
            mixinStandardHelpOptions = true,
            description = {
                "Starts a node that was killed or crashed, and waits till it is ready.",
                "After `kill` it is a new boot, after `crash` the same one."
            })
    static final class Start implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Option(names = "--no-wait", description = "Do not wait till it is ready.")
        private boolean noWait;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "60",
                converter = Words.CountWord.class,
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
            name = "logs",
            mixinStandardHelpOptions = true,
            description = "Shows the last lines of a node's log.")
    static final class Logs implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Option(
                names = "--lines",
                defaultValue = "40",
                converter = Words.CountWord.class,
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
        @Mixin private CommonOptions common = new CommonOptions();

        @Override
        public Integer call() {
            common.lab().down();
            return common.print(
                    common.object().put("name", common.name).put("removed", true),
                    "lab " + common.name + " is removed");
        }
    }
}
