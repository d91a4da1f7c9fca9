package dev.belay.lab;

import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The demo's finale: a VM on two servers, one TCP connection, the power of a server cut twice, and
 * nobody notices.
 */
final class DemoLockstep {
    private static final String VM = "twin";
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(4);
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
        try (var client = new SteadyClient(guest.address())) {
            say.accept(
                    "A client opens one TCP connection to "
                            + guest.address()
                            + ", sends a line every 20 ms and holds it from here on.");
            Shell.pause(LOOK_AROUND.toMillis());
            cut(client);
            cut(client);
            var seen = client.seen();
            say.accept(
                    "One connection, %d replies, %d wrong, none lost, none twice."
                            .formatted(seen.replies(), seen.wrong()));
        }
    }

    private void cut(SteadyClient client) {
        var dying = text("primary");
        var before = client.seen().replies();
        client.forget();
        lab.kill(dying);
        say.accept(
                "Power cut: " + dying + ", on which it ran, is gone after " + before + " replies.");
        await(
                "the other server to go on",
                () -> !text("primary").equals(dying) && client.seen().replies() > before + 20);
        var seen = client.seen();
        if (!seen.isFlawless()) {
            throw new LabException("the client noticed it: " + seen);
        }
        say.accept(
                "It goes on, on %s. The client waited %d ms for one reply, and got it."
                        .formatted(text("primary"), seen.longest().toMillis()));
        lab.start(dying);
        say.accept(dying + " is switched on again.");
        client.forget();
        protectedAgain();
        say.accept(
                "The client's longest wait meanwhile: %d ms."
                        .formatted(client.seen().longest().toMillis()));
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
