package dev.belay.explore;

import dev.belay.explore.Step.Verb;
import dev.belay.model.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A named situation: commands in, a log out, on the virtual clock. What a command does not disturb
 * goes its ordinary way ({@link Calm}). A line is a command; {@code docs/explorer.md} has them all.
 */
public final class Scenario {
    private final List<String> log = new ArrayList<>();
    private final Set<String> held = new HashSet<>();
    private final Set<String> slow = new HashSet<>();
    private final Map<String, Integer> launches = new HashMap<>();
    private final World world;
    private final Stepper stepper;
    private final Calm calm;

    private Scenario(Setup setup, Calm.Agent agent) {
        world = new World(setup, false);
        stepper = new Stepper(world);
        calm = new Calm(world, stepper);
        calm.agent = agent;
        calm.allows = this::allows;
    }

    /**
     * The log of these commands.
     *
     * @throws IllegalArgumentException a command that there is not; the message says which
     */
    public static String run(String commands) {
        int servers = 2;
        int vms = 1;
        boolean shared = false;
        var level = Level.RESTART;
        var agent = "none";
        var off = new ArrayList<Rule>();
        var rest = new ArrayList<String>();
        for (var line : commands.lines().map(String::strip).toList()) {
            var words = line.split("\\s+");
            switch (words[0]) {
                case "", "#" -> {}
                case "servers" -> servers = Integer.parseInt(words[1]);
                case "vms" -> vms = Integer.parseInt(words[1]);
                case "shared" -> shared = true;
                case "level" -> level = Level.valueOf(upper(words[1]));
                case "agent" -> agent = words[1];
                case "off" -> off.add(Rule.valueOf(upper(words[1])));
                default -> rest.add(line);
            }
        }
        boolean none = agent.equals("none");
        var setup = Setup.of(servers, vms, level, Setup.parse(off)).with(!none, shared);
        var scenario =
                new Scenario(setup, none ? Calm.Agent.HANGS : Calm.Agent.valueOf(upper(agent)));
        return scenario.play(rest);
    }

    private static String upper(String word) {
        return word.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    private String play(List<String> commands) {
        world.log = line -> log.add("%4d   %s".formatted(world.now, line));
        try {
            for (var command : commands) {
                log.add("%4d > %s".formatted(world.now, command));
                command(command.split("\\s+"));
            }
            log.add("every law held");
        } catch (Broken e) {
            log.add("BROKEN: " + e.getMessage());
        }
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            log.add(summary(vm));
        }
        return String.join("\n", log) + "\n";
    }

    private String summary(int vm) {
        var name = world.setup.vms().get(vm);
        var copies = new ArrayList<String>();
        for (var machine : world.machines) {
            for (var qemu : machine.processes.all) {
                if (qemu.right().vm().equals(name)) {
                    boolean active = machine.processes.isActive(world, qemu);
                    copies.add(
                            "%s on %s%s"
                                    .formatted(
                                            qemu.right().epoch(),
                                            machine.name(),
                                            active ? "" : ", mute"));
                }
            }
        }
        return "%s: %s; copies: %s"
                .formatted(
                        name,
                        Words.state(world.journal.vm(vm)),
                        copies.isEmpty() ? "none" : String.join("; ", copies));
    }

    private void command(String[] words) {
        var object = words.length > 1 ? words[1] : "";
        var how = words.length > 2 ? words[2] : "";
        switch (words[0]) {
            case "begin" -> quietly(calm::begin);
            case "begin-told" -> calm.begin();
            case "slow-disk" -> slow.add(object);
            case "run" -> rounds(Integer.parseInt(object));
            case "hold" -> held.add(object);
            case "free" -> held.remove(object);
            case "lose" -> lose(object);
            case "agent-does" -> calm.agent = Calm.Agent.valueOf(upper(object));
            case "patience" -> calm.patience = Integer.parseInt(object);
            case "next-start" -> launches.put(object, how.equals("left") ? 2 : 1);
            case "request" ->
                    take(Verb.REQUEST, vm(object), Requests.valueOf(upper(how)).ordinal());
            case "cut" ->
                    take(Verb.CUT, node(object), List.of("out", "in", "both").indexOf(how) + 1);
            case "cut-wire", "mend-wire" ->
                    take(Verb.valueOf(upper(words[0])), node(object) - 1, node(how) - 1);
            case "slow", "fast" -> take(Verb.SLIP, node(object), words[0].equals("slow") ? -1 : 1);
            case "second-arbiter" -> take(Verb.RECOVER, entity(object), node(how));
            case "stop-entity" -> take(Verb.STOP, entity(object), 0);
            case "crash", "start", "freeze", "thaw", "mend" ->
                    take(Verb.valueOf(upper(words[0])), node(object));
            case "island" -> take(Verb.ISLAND, node(object), how.equals("reached") ? 1 : 0);
            case "power-off", "power-on", "suspend", "resume", "miss", "release", "confirm-off" ->
                    take(Verb.valueOf(upper(words[0])), node(object) - 1);
            case "stop-qemu",
                    "continue-qemu",
                    "kill-qemu",
                    "stop-leash",
                    "continue-leash",
                    "kill-leash",
                    "panic",
                    "disk-fails",
                    "powers-off" ->
                    replica(Verb.valueOf(upper(words[0])), object, how);
            default ->
                    throw new IllegalArgumentException(
                            "There is no command '" + String.join(" ", words) + "'");
        }
    }

    private void rounds(int count) {
        for (int i = 0; i < count; i++) {
            calm.round();
        }
    }

    /** The way in is the same everywhere, and told in one situation only. */
    private void quietly(Runnable what) {
        var told = world.log;
        world.log = null;
        what.run();
        world.log = told;
    }

    private void take(Verb verb, int... numbers) {
        if (!stepper.take(Step.of(verb, numbers))) {
            log.add("%4d   (that cannot be now)".formatted(world.now));
        }
    }

    /** Messages of this kind are lost that are on their way now. */
    private void lose(String kind) {
        for (var envelope : List.copyOf(world.network)) {
            if (kind(envelope.message()).equals(kind)) {
                take(Verb.LOSE, envelope.id());
            }
        }
    }

    private void replica(Verb verb, String vm, String server) {
        var name = world.setup.vms().get(vm(vm));
        for (var machine : world.machines) {
            for (int i = 0; i < machine.processes.all.size(); i++) {
                boolean here = server.isEmpty() || machine.name().equals(server);
                if (here && machine.processes.all.get(i).right().vm().equals(name)) {
                    take(verb, machine.index, i);
                    return;
                }
            }
        }
        log.add("%4d   (no such replica)".formatted(world.now));
    }

    private boolean allows(Step step) {
        if (step.verb() == Verb.DELIVER) {
            var envelope = world.message(step.a());
            return envelope == null || !held.contains(kind(envelope.message()));
        }
        if (step.verb() == Verb.WORK) {
            var machine = world.machines[step.a()];
            if (slow.contains(machine.name()) && isWritingBack(machine, step.b())) {
                return false;
            }
            var outcome = launches.get(machine.name());
            if (outcome != null && machine.works.get(step.b()) instanceof Work.Launch) {
                launches.remove(machine.name());
                take(Verb.WORK, step.a(), step.b(), outcome);
                return false;
            }
        }
        return true;
    }

    private static boolean isWritingBack(Machine machine, int work) {
        return machine.works.get(work) instanceof Work.Leave leave
                && machine.processes.find(leave.right()) instanceof Qemu qemu
                && qemu.part() instanceof Part.Takes;
    }

    private static String kind(Message message) {
        return switch (message) {
            case Message.ToVm(_, var input) -> input.getClass().getSimpleName();
            case Message.ToServer(_, var input) -> input.getClass().getSimpleName();
            case Message.ToNode(_, dev.belay.decision.TenureInput.Ordered(var order)) ->
                    order.getClass().getSimpleName();
            case Message.ToNode(_, var input) -> input.getClass().getSimpleName();
            case Message.Welcome _ -> "Welcome";
            case Message.LeaseReply _ -> "LeaseReply";
            case Message.LateAppend _ -> "Append";
        };
    }

    private int node(String name) {
        for (int node = 0; node < world.jvms.length; node++) {
            if (world.nodeName(node).equals(name)) {
                return node;
            }
        }
        throw new IllegalArgumentException("There is no node '" + name + "'");
    }

    private int vm(String name) {
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            if (world.setup.vms().get(vm).value().equals(name)) {
                return vm;
            }
        }
        throw new IllegalArgumentException("There is no VM '" + name + "'");
    }

    private int entity(String name) {
        return name.startsWith("server-")
                ? world.setup.vms().size() + node(name.substring("server-".length())) - 1
                : vm(name);
    }
}
