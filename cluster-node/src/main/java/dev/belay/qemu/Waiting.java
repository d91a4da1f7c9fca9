package dev.belay.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
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

    interface Step {
        void take() throws IOException;
    }

    /**
     * Takes both steps side by side and returns when both have ended, however they ended: whoever
     * cleans up after a failure finds nothing still at work. Fails as the first of them does.
     */
    static void both(Step here, Step beside) throws IOException {
        var other = new CompletableFuture<Void>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        beside.take();
                        other.complete(null);
                    } catch (IOException e) {
                        other.completeExceptionally(new UncheckedIOException(e));
                    } catch (RuntimeException | Error e) {
                        other.completeExceptionally(e);
                    }
                });
        try {
            here.take();
        } catch (IOException | RuntimeException | Error e) {
            other.exceptionally(_ -> null).join();
            throw e;
        }
        try {
            reply(other);
        } catch (UncheckedIOException e) {
            throw e.getCause();
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
