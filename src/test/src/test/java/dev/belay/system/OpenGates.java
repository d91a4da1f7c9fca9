package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.lab.Lab;
import java.util.ArrayList;
import java.util.List;

/**
 * Looks, until it is closed, whether of the servers that run a QEMU of a VM more than one has an
 * open gate. Two copies in lockstep are one boot of the guest and answer alike, so this is the only
 * way to see that both are heard.
 */
final class OpenGates implements AutoCloseable {
    private static final long BETWEEN_LOOKS_MILLIS = 100;

    private final Lab lab;
    private final String vm;
    private final List<String> several = new ArrayList<>();
    private final Thread thread;
    private long looks;
    private volatile boolean closed;

    OpenGates(Lab lab, String vm) {
        this.lab = lab;
        this.vm = vm;
        this.thread = Thread.ofPlatform().daemon().name("looks at gates").start(this::run);
    }

    private void run() {
        while (!closed) {
            look();
            try {
                Thread.sleep(BETWEEN_LOOKS_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void look() {
        var running = lab.runningQemus(vm).stream().map(Lab.Qemu::node).toList();
        if (running.size() < 2) {
            return;
        }
        // Not one state of the world: so each is asked again after the last.
        var open = running.stream().filter(this::isOpen).toList();
        var wrong = open.size() > 1 && open.stream().allMatch(this::isOpen);
        synchronized (this) {
            looks++;
            if (wrong) {
                several.add(open.toString());
            }
        }
    }

    private boolean isOpen(String server) {
        return !lab.openTaps(server).isEmpty();
    }

    /** How often two copies were there to look at. */
    synchronized long looks() {
        return looks;
    }

    synchronized void check() {
        assertThat(thread.isAlive()).as("whether somebody looked until now").isTrue();
        assertThat(several).as("times that two QEMUs of %s ran behind open gates", vm).isEmpty();
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
