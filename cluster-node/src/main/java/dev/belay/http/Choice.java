package dev.belay.http;

import dev.belay.model.DiskKind;
import dev.belay.model.Level;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One of several words, in any case of their letters.
 *
 * @param understood what is offered, and what is refused later with a reason of its own
 */
record Choice<E extends Enum<E>>(List<E> offered, List<E> understood) {
    /** COMPONENT is not built yet. */
    static final Choice<Level> LEVEL =
            new Choice<>(List.of(Level.RESTART, Level.SYSTEM), List.of(Level.values()));

    static final Choice<DiskKind> DISK_KIND = all(DiskKind.values());

    private static <E extends Enum<E>> Choice<E> all(E[] values) {
        return new Choice<>(List.of(values), List.of(values));
    }

    Optional<E> of(String word) {
        return understood.stream().filter(one -> one.name().equalsIgnoreCase(word)).findFirst();
    }

    String example() {
        return word(offered.getFirst());
    }

    String expected() {
        return offered.stream().map(Choice::word).collect(Collectors.joining(", ", "one of ", ""));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
