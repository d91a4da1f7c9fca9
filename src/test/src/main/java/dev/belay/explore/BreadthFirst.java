package dev.belay.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All interleavings from a world in which everything runs, up to a depth, a number of faults and a
 * number of messages on their way. Worlds in which the same can happen are looked at once.
 */
final class BreadthFirst {
    /** How the search ended. */
    record Result(
            int depth,
            long states,
            long steps,
            boolean complete,
            Optional<RandomWalk.Violation> violation) {}

    private record Place(@Nullable Place before, Step step) {}

    private record Open(World world, @Nullable Place place) {}

    private record Key(int[] parts) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key(var others) && Arrays.equals(parts, others);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(parts);
        }
    }

    private final Map<Object, Integer> parts = new HashMap<>();
    private final Set<Key> seen = new HashSet<>();
    private final List<Step> prefix = new ArrayList<>();
    private final int depth;
    private final long mostStates;
    private final Consumer<String> progress;
    private long steps;
    private long shown;

    BreadthFirst(int depth, long mostStates, Consumer<String> progress) {
        this.depth = depth;
        this.mostStates = mostStates;
        this.progress = progress;
    }

    /**
     * @param faults how many may happen on one path
     */
    Result run(Setup setup, int faults) {
        return run(setup, Beginning.RUNNING, faults);
    }

    /**
     * @param beginning where all orders begin
     */
    Result run(Setup setup, Beginning beginning, int faults) {
        var world = new World(setup, false);
        beginning.reach(world, new Stepper(world, prefix));
        world.faults = faults;
        world.mostMessages = setup.mostMessages();
        List<Open> frontier = List.of(new Open(world, null));
        seen.add(key(world));
        for (int level = 1; level <= depth; level++) {
            var next = new ArrayList<Open>();
            for (var open : frontier) {
                var violation = expand(open, next);
                if (violation.isPresent()) {
                    return new Result(level, seen.size(), steps, false, violation);
                }
                if (seen.size() > mostStates) {
                    return new Result(level - 1, seen.size(), steps, false, Optional.empty());
                }
                tell(level);
            }
            frontier = next;
        }
        return new Result(depth, seen.size(), steps, true, Optional.empty());
    }

    private Optional<RandomWalk.Violation> expand(Open open, List<Open> next) {
        for (var step : Moves.of(open.world())) {
            var world = open.world().copy();
            var place = new Place(open.place(), step);
            steps++;
            try {
                if (!new Stepper(world).take(step)) {
                    continue;
                }
            } catch (Broken e) {
                return Optional.of(
                        new RandomWalk.Violation(
                                String.valueOf(e.getMessage()), path(place), false));
            }
            if (Moves.isFault(step)) {
                world.faults--;
            }
            if (seen.add(key(world))) {
                next.add(new Open(world, place));
            }
        }
        return Optional.empty();
    }

    private List<Step> path(Place last) {
        var steps = new ArrayList<Step>();
        for (Place place = last; place != null; place = place.before()) {
            steps.addFirst(place.step());
        }
        steps.addAll(0, prefix);
        return steps;
    }

    int prefixLength() {
        return prefix.size();
    }

    private Key key(World world) {
        var components = WorldKeys.of(world);
        var messages = WorldKeys.messages(world);
        var key = new int[components.size() + messages.size()];
        int i = 0;
        for (var component : components) {
            key[i++] = part(component);
        }
        int from = i;
        for (var message : messages) {
            key[i++] = part(message);
        }
        Arrays.sort(key, from, i);
        return new Key(key);
    }

    private int part(Object component) {
        return parts.computeIfAbsent(component, _ -> parts.size());
    }

    private void tell(int level) {
        long now = System.nanoTime();
        if (now - shown > 2_000_000_000L) {
            shown = now;
            progress.accept("depth %d: %,d states, %,d steps".formatted(level, seen.size(), steps));
        }
    }
}
