package dev.belay.qemu;

/**
 * The checkpoints of a primary in lockstep, as QEMU tells them: the guest stops, and runs again.
 */
final class Checkpoints {
    private long count;
    private boolean stopped;

    synchronized void onEvent(String name) {
        if (name.equals("STOP")) {
            stopped = true;
        } else if (name.equals("RESUME") && stopped) {
            stopped = false;
            count++;
        }
    }

    synchronized long count() {
        return count;
    }
}
