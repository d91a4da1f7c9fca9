package dev.belay.lab;

import dev.belay.lab.Lab.Direction;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Values as they are written on the command line: in small letters, times with their unit. */
final class Words {
    private static final Pattern TIME = Pattern.compile("([+-]?)(\\d{1,9})(ms|s|m|h)");

    private Words() {}

    static <E extends Enum<E>> E oneOf(Class<E> all, String word) {
        for (var value : all.getEnumConstants()) {
            if (value.name().equalsIgnoreCase(word)) {
                return value;
            }
        }
        throw new TypeConversionException(
                "'"
                        + word
                        + "' is none of "
                        + Arrays.stream(all.getEnumConstants())
                                .map(value -> value.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", ")));
    }

    static Duration duration(String word) {
        if (word.equals("0")) {
            return Duration.ZERO;
        }
        var parts = TIME.matcher(word);
        if (!parts.matches()) {
            throw new TypeConversionException(
                    "'" + word + "' is no time: it takes a number and ms, s, m or h, as in 90s");
        }
        var number = Long.parseLong(parts.group(2));
        var size =
                switch (parts.group(3)) {
                    case "ms" -> Duration.ofMillis(number);
                    case "s" -> Duration.ofSeconds(number);
                    case "m" -> Duration.ofMinutes(number);
                    default -> Duration.ofHours(number);
                };
        return parts.group(1).equals("-") ? size.negated() : size;
    }

    /** A number of things that are counted. */
    static final class CountWord implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String word) {
            if (!word.matches("[0-9]{1,9}") || Integer.parseInt(word) == 0) {
                throw new TypeConversionException(
                        "expected a whole number, 1 or more, but got '" + word + "'");
            }
            return Integer.valueOf(word);
        }
    }

    /** A level as the API calls it; those that are not built yet are none. */
    static final class LevelWord implements ITypeConverter<String> {
        @Override
        public String convert(String word) {
            if (!word.equalsIgnoreCase("restart") && !word.equalsIgnoreCase("system")) {
                throw new TypeConversionException(
                        "expected restart or system, but got '" + word + "'");
            }
            return word;
        }
    }

    static final class DirectionWord implements ITypeConverter<Direction> {
        @Override
        public Direction convert(String word) {
            return oneOf(Direction.class, word);
        }
    }

    static final class DurationWord implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String word) {
            return duration(word);
        }
    }

    static final class DiskWord implements ITypeConverter<TestVm.Disk> {
        @Override
        public TestVm.Disk convert(String word) {
            return oneOf(TestVm.Disk.class, word);
        }
    }

    static final class FenceWord implements ITypeConverter<Fence> {
        @Override
        public Fence convert(String word) {
            return oneOf(Fence.class, word);
        }
    }
}
