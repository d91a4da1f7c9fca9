package dev.belay.explore;

import dev.belay.explore.Mechanics.Fate;
import dev.belay.explore.Step.Verb;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * One run from a seed: first faults of all kinds, with messages lost, late, doubled and in any
 * order; then everything is healed, and every VM has to come to be as its user desires.
 */
final class RandomWalk {
    private static final int CALM_ROUNDS = 400;

    /**
     * @param steps all that happened until the law broke
     * @param healed whether the faults were over already
     */
    record Violation(String law, List<Step> steps, boolean healed) {}

    private final Setup setup;
    private final World world;
    private final Stepper stepper;
    private final RandomGenerator dice;
    private final int calmness;
    private final PairDice pairs;

    RandomWalk(Setup setup, long seed) {
        this.setup = setup;
        world = new World(setup, true);
        stepper = new Stepper(world);
        dice = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        // Some runs are full of faults, some have few.
        calmness = 1 << dice.nextInt(6);
        pairs = new PairDice(world, dice, calmness);
    }

    int taken() {
        return stepper.taken.size();
    }

    List<Step> steps() {
        return List.copyOf(stepper.taken);
    }

    Optional<Violation> run(int steps) {
        boolean healed = false;
        var calm = new Calm(world, stepper);
        try {
            if (dice.nextInt(8) > 0) {
                calm.begin();
            }
            if (dice.nextInt(4) == 0) {
                for (int i = 0; i < steps; i++) {
                    one();
                }
            } else {
                disturbed(calm, steps);
            }
            calm.allows = _ -> true;
            calm.agent = Calm.Agent.WORKS;
            healed = true;
            int least = 2 * setup.proofWait();
            List<String> unfinished = List.of("nothing was looked at");
            for (int round = 0; round < CALM_ROUNDS; round++) {
                calm.heal();
                calm.round();
                if (round > least) {
                    unfinished = Laws.unfinished(world);
                    if (unfinished.isEmpty()) {
                        break;
                    }
                }
            }
            if (!unfinished.isEmpty()) {
                throw new Broken("not as desired after healing: " + unfinished);
            }
            return Optional.empty();
        } catch (Broken e) {
            return Optional.of(
                    new Violation(
                            String.valueOf(e.getMessage()), List.copyOf(stepper.taken), healed));
        } catch (RuntimeException e) {
            return Optional.of(
                    new Violation("an exception: " + e, List.copyOf(stepper.taken), healed));
        }
    }

    /** What should happen happens, but some of it late, twice, not at all, or in another way. */
    private void disturbed(Calm calm, int steps) {
        var held = new HashMap<Integer, Integer>();
        calm.allows = step -> allows(held, step);
        int end = stepper.taken.size() + steps;
        while (stepper.taken.size() < end) {
            calm.agent = Calm.Agent.values()[dice.nextInt(Calm.Agent.values().length)];
            calm.round();
        }
    }

    private boolean allows(Map<Integer, Integer> held, Step step) {
        int d = dice.nextInt(25 * calmness);
        if (d == 0) {
            fault().ifPresent(stepper::take);
        } else if (d <= 3) {
            repair().ifPresent(stepper::take);
        } else if (d == 4) {
            (dice.nextBoolean() ? request() : message()).ifPresent(stepper::take);
        }
        if (setup.pairs() && dice.nextInt(12 * calmness) == 0) {
            pairs.next().ifPresent(stepper::take);
        }
        return switch (step.verb()) {
            case TICK -> true;
            case DELIVER -> {
                var until = held.computeIfAbsent(step.a(), _ -> world.now + delay());
                if (until > world.now) {
                    yield false;
                }
                if (dice.nextInt(15 * calmness) == 0) {
                    message().ifPresent(stepper::take);
                    yield false;
                }
                yield true;
            }
            case WORK -> {
                var works = world.machines[step.a()].works;
                if (works.size() <= step.b()) {
                    yield false;
                }
                var work = works.get(step.b());
                if (setup.pairs() && pairs.isSlow(work)) {
                    yield false;
                }
                if (!(work instanceof Work.News) && dice.nextInt(10 * calmness) == 0) {
                    int outcome = work.mayLeaveSomething() && dice.nextBoolean() ? 2 : 1;
                    stepper.take(Step.of(Verb.WORK, step.a(), step.b(), outcome));
                    yield false;
                }
                yield dice.nextInt(4 + calmness) > 0;
            }
            case STOP -> dice.nextInt(8) == 0;
            case CATCH_UP -> dice.nextInt(30) == 0;
            default -> dice.nextInt(2 + 2 * calmness) > 0;
        };
    }

    /** Ticks; most messages have none. */
    private int delay() {
        return dice.nextInt(4 + calmness) > 0 ? 0 : 1 + dice.nextInt(2 * setup.proofWait());
    }

    private void one() {
        if (setup.pairs() && dice.nextInt(6) == 0) {
            pairs.next().ifPresent(stepper::take);
            return;
        }
        // Sharding brings up an entity that is written to.
        int pid = dice.nextInt(world.pids());
        if (world.instances(world.pid(pid)) == 0 && dice.nextInt(8) == 0) {
            stepper.take(Step.of(Verb.RECOVER, pid, dice.nextInt(world.jvms.length)));
        } else {
            step().ifPresent(stepper::take);
        }
    }

    private Optional<Step> step() {
        int d = dice.nextInt(1000);
        if (d < 440) {
            return message();
        } else if (d < 560) {
            return work();
        } else if (d < 575) {
            return missing();
        } else if (d < 585) {
            return agent();
        } else if (d < 640) {
            return one(Verb.RENEW, dice.nextInt(servers()));
        } else if (d < 690) {
            return one(Verb.RETRY, dice.nextInt(world.pids()), dice.nextInt(8) == 0 ? 1 : 0);
        } else if (d < 740) {
            return one(Verb.TICK);
        } else if (d < 780) {
            return one(Verb.ASK, dice.nextInt(servers()));
        } else if (d < 830) {
            return timer();
        } else if (d < 860) {
            return one(Verb.LOOK);
        } else if (d < 920) {
            return repair();
        } else if (d < 930) {
            int pid = dice.nextInt(world.pids());
            return dice.nextInt(8 * calmness) == 0
                    ? one(Verb.RECOVER, pid, dice.nextInt(world.jvms.length))
                    : Optional.empty();
        } else if (d < 940) {
            return request();
        }
        return dice.nextInt(calmness) == 0 ? fault() : Optional.empty();
    }

    private int servers() {
        return setup.servers().size();
    }

    private Optional<Step> one(Verb verb, int... numbers) {
        return Optional.of(Step.of(verb, numbers));
    }

    private Optional<Step> message() {
        if (world.network.isEmpty()) {
            return Optional.empty();
        }
        int size = world.network.size();
        int index = dice.nextInt(3) > 0 ? 0 : dice.nextInt(size);
        // The oldest, or any, that can arrive now.
        for (int tries = 0; tries < size && !world.arrives(world.network.get(index)); tries++) {
            index = (index + 1) % size;
        }
        var envelope = world.network.get(index);
        int d = dice.nextInt(20 * calmness);
        if (d == 0) {
            return one(Verb.LOSE, envelope.id());
        } else if (d == 1) {
            return one(Verb.DOUBLE, envelope.id());
        } else if (d == 2) {
            return one(Verb.DELIVER, envelope.id(), 1 + dice.nextInt(Fate.values().length - 1));
        }
        return one(Verb.DELIVER, envelope.id(), 0, dice.nextInt(4) == 0 ? 1 : 0);
    }

    private Optional<Step> work() {
        var machine = world.machines[dice.nextInt(servers())];
        if (machine.works.isEmpty()) {
            return Optional.empty();
        }
        int index = dice.nextInt(machine.works.size());
        int outcome = dice.nextInt(6 * calmness) == 0 ? 1 + dice.nextInt(2) : 0;
        var work = machine.works.get(index);
        if (work instanceof Work.News || (outcome == 2 && !work.mayLeaveSomething())) {
            outcome = work instanceof Work.News ? 0 : 1;
        }
        return one(Verb.WORK, machine.index, index, outcome);
    }

    private Optional<Step> timer() {
        if (world.entities.isEmpty()) {
            return Optional.empty();
        }
        var entity = world.entities.get(dice.nextInt(world.entities.size()));
        if (entity.timers.isEmpty()) {
            return Optional.empty();
        }
        int which = world.instance(entity.pid, 0) == entity ? 0 : 1;
        return one(Verb.TIMER, world.number(entity.pid), which, dice.nextInt(entity.timers.size()));
    }

    private Optional<Step> repair() {
        int node = dice.nextInt(world.jvms.length);
        int server = dice.nextInt(servers());
        int replicas = Math.max(1, world.machines[server].processes.all.size());
        return switch (dice.nextInt(9)) {
            case 0 -> one(Verb.MEND, node);
            case 1 -> one(Verb.START, node);
            case 2 -> one(Verb.THAW, node);
            case 3 -> one(Verb.POWER_ON, server);
            case 4 -> one(Verb.RESUME, server);
            case 5 -> one(Verb.CONTINUE_QEMU, server, dice.nextInt(replicas));
            case 6 -> one(Verb.CONTINUE_LEASH, server, dice.nextInt(replicas));
            case 7 -> one(dice.nextBoolean() ? Verb.RELEASE : Verb.CONFIRM_OFF, server);
            default -> one(Verb.CATCH_UP);
        };
    }

    private Optional<Step> request() {
        int vm = dice.nextInt(setup.vms().size());
        var what =
                switch (dice.nextInt(6 + 6 * calmness)) {
                    case 0 -> Requests.STOP;
                    case 1 -> Requests.KILL;
                    case 2 -> Requests.DELETE;
                    case 3 -> Requests.DELETE_RUNNING;
                    case 4, 5, 6, 7, 8, 9 -> Requests.START;
                    default -> Requests.CREATE;
                };
        return one(Verb.REQUEST, vm, what.ordinal());
    }

    private Optional<Step> fault() {
        int node = dice.nextInt(world.jvms.length);
        int server = dice.nextInt(servers());
        int replica = dice.nextInt(Math.max(1, world.machines[server].processes.all.size()));
        return switch (dice.nextInt(20)) {
            case 0, 1 -> one(Verb.CRASH, node);
            case 2 -> one(Verb.FREEZE, node);
            case 3 -> one(Verb.POWER_OFF, server);
            case 4 -> one(Verb.SUSPEND, server);
            case 5, 6 -> one(Verb.CUT, node, 1 + dice.nextInt(3));
            case 7 -> one(Verb.STOP_QEMU, server, replica);
            case 8 -> one(Verb.KILL_QEMU, server, replica);
            case 9, 10 -> one(Verb.STOP_LEASH, server, replica);
            case 11 -> one(Verb.KILL_LEASH, server, replica);
            case 12 -> one(Verb.PANIC, server, replica);
            case 13 -> one(Verb.DISK_FAILS, server, replica);
            case 14 -> one(Verb.POWERS_OFF, server, replica);
            case 15, 16 -> one(Verb.SLIP, node, dice.nextBoolean() ? 1 : -1);
            case 17 -> one(Verb.STOP, dice.nextInt(world.pids()), dice.nextInt(2));
            default -> one(Verb.MISS, server, dice.nextInt(2), dice.nextInt(Fate.values().length));
        };
    }

    private Optional<Step> agent() {
        if (world.calls.isEmpty()) {
            return Optional.empty();
        }
        return one(Verb.AGENT, dice.nextInt(world.calls.size()), dice.nextInt(3));
    }

    /** One that is truly away. */
    private Optional<Step> missing() {
        for (var machine : world.machines) {
            if (!world.works(machine.node()) || world.isApart(machine.node())) {
                return one(Verb.MISS, machine.index, 0);
            }
        }
        return Optional.empty();
    }
}
