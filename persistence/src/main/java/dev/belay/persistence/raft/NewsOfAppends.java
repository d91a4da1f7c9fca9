package dev.belay.persistence.raft;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners that there is something new, on a thread of its own: never on the one that
 * applies entries. News that come faster than listeners work are told once.
 */
final class NewsOfAppends implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NewsOfAppends.class);

    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final AtomicBoolean told = new AtomicBoolean();
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("journal-news").daemon().factory());

    Runnable add(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    void tell() {
        if (!thread.isShutdown() && told.compareAndSet(false, true)) {
            thread.execute(this::run);
        }
    }

    private void run() {
        // Before the listeners look: what comes while they do is told again.
        told.set(false);
        for (var listener : listeners) {
            try {
                listener.run();
            } catch (RuntimeException e) {
                LOG.warn("A listener of the journal failed", e);
            }
        }
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
