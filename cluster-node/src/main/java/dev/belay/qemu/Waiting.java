package dev.belay.qemu;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Waiting on virtual threads for stages that end by their own time limit. */
final class Waiting {
    private Waiting() {}

    /** The stage's value, or its own exception and not the wrapper of it. */
    static <T> T reply(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** False when interrupted. */
    static boolean millis(long millis) {
        try {
            Thread.sleep(millis);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
