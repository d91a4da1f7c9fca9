package dev.belay.lab;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What can be done to a lab's nodes. */
final class FaultCommands {
    private FaultCommands() {}

    @Command(
            name = "kill",
            mixinStandardHelpOptions = true,
            description = {
                "Cuts a node's power: its links drop first, silently, then everything on it is"
                        + " killed.",
                "Its disk stays. `belay lab start` powers it on again."
            })
    static final class Kill implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

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
                "Kills a node's JVM; its guests go on if it is back within its lease.",
                "Its supervisor starts it again at once, as systemd does in production."
            })
    static final class Crash implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

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
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

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
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

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
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Option(
                names = "--direction",
                defaultValue = "both",
                converter = Words.DirectionWord.class,
                description = {
                    "in: only what others send to it; out: only what it sends; or both",
                    "(default: ${DEFAULT-VALUE})."
                })
        private Lab.Direction direction = Lab.Direction.BOTH;

        @Option(
                names = "--from",
                paramLabel = "NODE",
                description = "Only what goes between it and this one; everybody else hears both.")
        private Optional<String> other = Optional.empty();

        @Override
        public Integer call() {
            if (other.isPresent()) {
                common.lab().cut(node.name, other.get(), direction);
                return common.done(
                        node.name,
                        "cut",
                        switch (direction) {
                            case IN -> node.name + " does not hear " + other.get();
                            case OUT -> other.get() + " does not hear " + node.name;
                            case BOTH ->
                                    node.name
                                            + " and "
                                            + other.get()
                                            + " do not hear each other; the others hear both";
                        });
            }
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
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Override
        public Integer call() {
            common.lab().heal(node.name);
            return common.done(
                    node.name, "heal", "the cluster network of " + node.name + " is whole");
        }
    }

    @Command(
            name = "flap",
            mixinStandardHelpOptions = true,
            description = {
                "Cuts and heals a node's cluster network in turn, and leaves it whole.",
                "Returns when it is over."
            })
    static final class Flap implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Option(
                names = "--every",
                paramLabel = "TIME",
                defaultValue = "1s",
                converter = Words.DurationWord.class,
                description = "How long each cut and each pause lasts (default: ${DEFAULT-VALUE}).")
        private Duration every = Duration.ofSeconds(1);

        @Option(
                names = "--for",
                paramLabel = "TIME",
                defaultValue = "1m",
                converter = Words.DurationWord.class,
                description = "How long all of it lasts (default: ${DEFAULT-VALUE}).")
        private Duration span = Duration.ofMinutes(1);

        @Override
        public Integer call() {
            common.lab().flap(node.name, every, span);
            return common.done(
                    node.name,
                    "flap",
                    "the cluster network of " + node.name + " flapped and is whole");
        }
    }

    @Command(
            name = "clock",
            mixinStandardHelpOptions = true,
            description = {
                "Lets a node's wall clock jump; the clocks that measure time go on.",
                "The lab must have been started with --fake-clock."
            })
    static final class Clock implements Callable<Integer> {
        @Mixin private CommonOptions common = new CommonOptions();
        @Mixin private CommonOptions.Node node = new CommonOptions.Node();

        @Parameters(
                index = "1",
                paramLabel = "AHEAD",
                converter = Words.DurationWord.class,
                description = "+1h, -90m, +30s, …: ahead of this machine's clock; 0: like it.")
        private Duration ahead = Duration.ZERO;

        @Override
        public Integer call() {
            common.lab().clock(node.name, ahead);
            return common.done(
                    node.name,
                    "clock",
                    "the clock of " + node.name + " differs by " + ahead.toSeconds() + " s");
        }
    }
}
