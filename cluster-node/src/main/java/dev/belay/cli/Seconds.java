package dev.belay.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long to wait, as it is written on the command line. */
final class Seconds implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String word) {
        // Nine digits: any number of seconds that somebody may mean.
        if (!word.matches("[0-9]{1,9}") || Integer.parseInt(word) == 0) {
            throw new TypeConversionException(
                    "expected a number of seconds, 1 or more, but got '%s'".formatted(word));
        }
        return Integer.parseInt(word);
    }
}
