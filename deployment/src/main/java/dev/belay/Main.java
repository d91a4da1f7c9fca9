package dev.belay;

/** Where the launcher enters: {@code belay <command> …}. */
public final class Main {
    private Main() {}

    public static void main(String[] words) {
        System.err.println("belay: nothing is built in yet: " + String.join(" ", words));
        System.exit(2);
    }
}
