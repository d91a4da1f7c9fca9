package dev.belay.lab;

import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The demo's finale: a VM on two servers, one TCP connection, thousands of replies. A server loses
 * power, returns and loses it again, then the other one does, and nobody notices.
 */
final class DemoLockstep {
    private static final String VM = "twin";
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(4);
    private static final Duration BETWEEN_LINES = Duration.ofMillis(5);
    private static final int MORE_REPLIES = 100;
    private static final long LOOK_MILLIS = 50;

    private final Lab lab;
    private final Consumer<String> say;

    DemoLockstep(Lab lab, Consumer<String> say) {
        this.lab = lab;
        this.say = say;
    }

    void show() {
        say.accept("");
        say.accept("The finale. Creating VM '" + VM + "' at level SYSTEM: it runs on two servers.");
        var guest =
                lab.vm(
                        TestVm.of(VM)
                                .withLevel("SYSTEM")
                                .withDisk(TestVm.Disk.MIRRORED)
                                .withAwait(PATIENCE));
        protectedAgain();
        try (var client = new SteadyClient(guest.address(), BETWEEN_LINES)) {
            say.accept(
                    "A client opens one TCP connection to %s and holds it from here on. It sends a line %d ms after each reply."
                            .formatted(guest.address(), BETWEEN_LINES.toMillis()));
            Shell.pause(LOOK_AROUND.toMillis());
            var first = text("primary");
            cut(first, client);
            cut(first, client);
            cut(text("primary"), client);
            say.accept(
                    "One connection, three power cuts, %d replies: none lost, none wrong, none twice."
                            .formatted(flawless(client).replies()));
        }
    }

    /** The power of a server goes and comes back; the other one has the VM all the while. */
    private void cut(String dying, SteadyClient client) {
        var ranThere = text("primary").equals(dying);
        client.forget();
        lab.kill(dying);
        var before = client.seen().replies();
        say.accept(
                "Power cut: %s is gone, %s, after %d replies."
                        .formatted(
                                dying,
                                ranThere ? "on which it ran" : "which had its second copy",
                                before));
        await(
                "the other server to go on",
                () -> isAloneWithout(dying) && client.seen().replies() > before + MORE_REPLIES);
        say.accept(
                "It goes on, on %s. The client's longest wait for a reply: %d ms."
                        .formatted(text("primary"), flawless(client).longest().toMillis()));
        client.forget();
        lab.start(dying);
        say.accept(dying + " is switched on again.");
        protectedAgain();
        say.accept(
                "The client's longest wait meanwhile: %d ms."
                        .formatted(flawless(client).longest().toMillis()));
        Shell.pause(LOOK_AROUND.toMillis());
    }

    private boolean isAloneWithout(String server) {
        return !text("primary").equals(server) && !text("state").equals("Lockstep");
    }

    /** Each reply carries its number, so that one that is lost or comes twice is a wrong one. */
    private static SteadyClient.Seen flawless(SteadyClient client) {
        var seen = client.seen();
        if (!seen.isFlawless()) {
            throw new LabException("the client noticed it: " + seen);
        }
        return seen;
    }

    private void protectedAgain() {
        await("protection", () -> text("state").equals("Lockstep"));
        say.accept(
                String.format(
                        Locale.ROOT,
                        "Protected: it runs on %s, and %s is in lockstep with it.",
                        text("primary"),
                        text("secondary")));
    }

    private String text(String field) {
        return lab.get("/api/v1/vms/" + VM).map(vm -> vm.path(field).asText()).orElse("");
    }

    private static void await(String what, BooleanSupplier done) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "waited for " + what + " for " + PATIENCE.toSeconds() + " s, in vain");
            }
            Shell.pause(LOOK_MILLIS);
        }
    }
}
