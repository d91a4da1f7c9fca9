package dev.belay.explore;

import dev.belay.model.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** A run as text: its setup in a line, then its steps, separated by semicolons or lines. */
record Trace(Setup setup, boolean wallJumps, List<Step> steps) {
    private static final String HEAD = "world";
    private static final List<String> LAWS =
            List.of(
                    "two active copies",
                    "two writers",
                    "without a proof",
                    "a replay differs",
                    "an epoch fell",
                    "vanished at once",
                    "without an acknowledged write",
                    "no copy of its disk",
                    "is heard although",
                    "an exception");

    @Override
    public String toString() {
        var text = new StringBuilder(HEAD);
        text.append(" servers=").append(setup.servers().size());
        text.append(" vms=").append(setup.vms().size());
        text.append(" lease=").append(setup.lease());
        text.append(" margin=").append(setup.margin());
        text.append(" second=").append(setup.second());
        text.append(" agents=").append(setup.agents());
        text.append(" shared=").append(setup.shared());
        text.append(" level=").append(setup.level());
        text.append(" wall-jumps=").append(wallJumps);
        setup.off().stream().sorted().forEach(rule -> text.append(" off=").append(rule));
        steps.forEach(step -> text.append("; ").append(step));
        return text.toString();
    }

    /**
     * @throws IllegalArgumentException it is no trace; the message says why
     */
    static Trace parse(String text) {
        var parts =
                Arrays.stream(text.split("[;\n]"))
                        .map(String::strip)
                        .filter(part -> !part.isEmpty() && !part.startsWith("#"))
                        .toList();
        if (parts.isEmpty() || !parts.getFirst().startsWith(HEAD + " ")) {
            throw new IllegalArgumentException(
                    "Expected a trace that begins with '" + HEAD + "', but got '" + text + "'");
        }
        try {
            return parse(parts.getFirst(), parts.subList(1, parts.size()));
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new IllegalArgumentException("The trace cannot be read: " + e.getMessage(), e);
        }
    }

    private static Trace parse(String head, List<String> steps) {
        var off = new java.util.ArrayList<Rule>();
        var numbers = new java.util.HashMap<String, String>();
        for (var word : head.substring(HEAD.length()).strip().split("\\s+")) {
            var pair = word.split("=", 2);
            if (pair[0].equals("off")) {
                off.add(Rule.valueOf(pair[1].toUpperCase(Locale.ROOT)));
            } else {
                numbers.put(pair[0], pair[1]);
            }
        }
        var sized =
                Setup.of(
                        Integer.parseInt(numbers.getOrDefault("servers", "2")),
                        Integer.parseInt(numbers.getOrDefault("vms", "1")),
                        Setup.parse(off));
        var setup =
                new Setup(
                        sized.servers(),
                        sized.vms(),
                        Integer.parseInt(numbers.getOrDefault("lease", "6")),
                        Integer.parseInt(numbers.getOrDefault("margin", "2")),
                        Integer.parseInt(numbers.getOrDefault("second", "2")),
                        Boolean.parseBoolean(numbers.getOrDefault("agents", "true")),
                        Boolean.parseBoolean(numbers.getOrDefault("shared", "false")),
                        Level.valueOf(numbers.getOrDefault("level", "RESTART")),
                        sized.off());
        return new Trace(
                setup,
                Boolean.parseBoolean(numbers.getOrDefault("wall-jumps", "false")),
                steps.stream().map(Step::parse).toList());
    }

    /**
     * Runs it again and tells what happens; the law that breaks, or empty.
     *
     * @param last how many steps from the end are told
     */
    java.util.Optional<String> replay(int last, Consumer<String> log) {
        var world = new World(setup, wallJumps);
        var stepper = new Stepper(world);
        for (int i = 0; i < steps.size(); i++) {
            var step = steps.get(i);
            boolean told = i >= steps.size() - last;
            world.log = told ? line -> log.accept("      " + line) : null;
            if (told) {
                log.accept("%4d %s%s".formatted(world.now, step, meaning(world, step)));
            }
            try {
                if (!stepper.take(step)) {
                    log.accept("      (cannot happen here)");
                }
            } catch (Broken e) {
                return java.util.Optional.of(String.valueOf(e.getMessage()));
            } catch (RuntimeException e) {
                return java.util.Optional.of("an exception: " + e);
            }
        }
        return java.util.Optional.empty();
    }

    private static String meaning(World world, Step step) {
        return switch (step.verb()) {
            case DELIVER, LOSE, DOUBLE -> {
                var envelope = world.message(step.a());
                yield envelope == null ? "" : "   # " + meaning(world, envelope.message());
            }
            case TIMER, RETRY, STOP, RECOVER -> "   # " + world.name(world.pid(step.a()));
            case RELEASE,
                    CONFIRM_OFF,
                    ASK,
                    RENEW,
                    WORK,
                    MISS,
                    POWER_OFF,
                    POWER_ON,
                    SUSPEND,
                    RESUME,
                    STOP_QEMU,
                    CONTINUE_QEMU,
                    KILL_QEMU,
                    STOP_LEASH,
                    CONTINUE_LEASH,
                    KILL_LEASH,
                    PANIC,
                    DISK_FAILS,
                    POWERS_OFF,
                    LISTEN,
                    NOTICE,
                    WRITE ->
                    "   # " + world.nodeName(step.a() + 1) + work(world, step);
            case CRASH, START, FREEZE, THAW, CUT, MEND, SLIP, ISLAND ->
                    "   # " + world.nodeName(step.a());
            case REQUEST ->
                    "   # " + world.setup.vms().get(step.a()) + " " + Requests.values()[step.b()];
            case CUT_WIRE, MEND_WIRE ->
                    "   # %s and %s"
                            .formatted(world.nodeName(step.a() + 1), world.nodeName(step.b() + 1));
            case TICK, LOOK, CATCH_UP, AGENT -> "";
        };
    }

    private static String work(World world, Step step) {
        var works = world.machines[step.a()].works;
        return step.verb() == Step.Verb.WORK && step.b() < works.size()
                ? ": " + works.get(step.b())
                : "";
    }

    private static String meaning(World world, Message message) {
        return switch (message) {
            case Message.ToVm(var vm, var input) ->
                    "to " + world.setup.vms().get(vm) + ": " + Words.of(input);
            case Message.ToServer(var server, var input) ->
                    "to server " + world.setup.servers().get(server) + ": " + Words.of(input);
            case Message.ToNode(var server, var input) ->
                    "to " + world.setup.servers().get(server) + ": " + Words.of(input);
            case Message.Welcome(var server, var admitted) ->
                    "to %s: Welcome %s"
                            .formatted(world.setup.servers().get(server), admitted.incarnation());
            case Message.LeaseReply reply ->
                    "lease of "
                            + world.setup.servers().get(reply.server())
                            + reply.incarnation()
                            + (reply.granted() ? " granted" : " refused");
            case Message.LateAppend late -> "append to " + world.name(late.pid());
        };
    }

    /**
     * Without steps that the violation does not need, found by leaving out.
     *
     * @param message the law and how it broke; how may differ, the law may not
     */
    Trace shortened(String message) {
        var law = law(message);
        var kept = new java.util.ArrayList<>(steps);
        for (int size = Math.max(1, kept.size() / 2); size >= 1; size /= 2) {
            for (int at = kept.size() - size; at >= 0; at -= size) {
                var fewer = new java.util.ArrayList<>(kept.subList(0, at));
                fewer.addAll(kept.subList(Math.min(kept.size(), at + size), kept.size()));
                var cut = new Trace(setup, wallJumps, List.copyOf(fewer)).untilBroken();
                if (cut.isPresent() && law(cut.get().law()).equals(law)) {
                    kept = new java.util.ArrayList<>(cut.get().steps());
                    at = Math.min(at, kept.size());
                }
            }
        }
        return new Trace(setup, wallJumps, List.copyOf(kept));
    }

    /** The words of the law, without the names and numbers of this time. */
    private static String law(String message) {
        for (var law : LAWS) {
            if (message.contains(law)) {
                return law;
            }
        }
        return message;
    }

    private java.util.Optional<RandomWalk.Violation> untilBroken() {
        var world = new World(setup, wallJumps);
        var stepper = new Stepper(world);
        try {
            for (var step : steps) {
                stepper.take(step);
            }
            return java.util.Optional.empty();
        } catch (Broken e) {
            return java.util.Optional.of(
                    new RandomWalk.Violation(
                            String.valueOf(e.getMessage()), List.copyOf(stepper.taken), false));
        } catch (RuntimeException e) {
            return java.util.Optional.of(
                    new RandomWalk.Violation(
                            "an exception: " + e, List.copyOf(stepper.taken), false));
        }
    }
}
