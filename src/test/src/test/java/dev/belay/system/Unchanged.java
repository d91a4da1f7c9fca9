package dev.belay.system;

import java.util.Optional;
import java.util.function.Predicate;

/** For Awaitility's {@code during}: the same as at the look before. */
final class Unchanged<T> implements Predicate<T> {
    private Optional<T> last = Optional.empty();

    @Override
    public boolean test(T now) {
        var same = last.filter(now::equals).isPresent();
        last = Optional.of(now);
        return same;
    }
}
