package dev.belay.model;

import java.util.regex.Pattern;

/** A node's name: 1 to 40 of {@code a-z 0-9 -}, starting with a letter. Unique in the cluster. */
public record ServerName(String value) {
    private static final Pattern LEGAL = Pattern.compile("[a-z][a-z0-9-]{0,39}");

    public ServerName {
        if (!LEGAL.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "Expected a server name of 1 to 40 characters a-z, 0-9 or '-' that starts with a letter, but got '"
                            + Names.shown(value)
                            + "'");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
