package dev.belay.model;

/** How a refused name is quoted in an error: short and without control characters. */
final class Names {
    private static final int SHOWN = 60;

    private Names() {}

    static String shown(String name) {
        var clean = name.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= SHOWN ? clean : clean.substring(0, SHOWN) + "…";
    }
}
