package dev.belay.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes this process outweigh the guests, so that load does not look like death. The kernel shares
 * the processor between sessions first ("autogroups"); a nice value counts only within one. Guests
 * and storage daemons have sessions of their own, at the usual weight: their leash sees to that.
 */
final class ProcessWeight {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessWeight.class);
    private static final Path AUTOGROUP = Path.of("/proc/self/autogroup");
    private static final int NICE = -15;

    private ProcessWeight() {}

    static void raise() {
        raise(AUTOGROUP);
    }

    /** Says in the log when it cannot; the node runs all the same. */
    static boolean raise(Path autogroup) {
        try {
            // Once only: the kernel takes few such writes a second.
            if (!Files.readString(autogroup).strip().endsWith(" nice " + NICE)) {
                Files.writeString(autogroup, Integer.toString(NICE));
            }
            return true;
        } catch (IOException e) {
            LOG.warn(
                    "this node does not outweigh its guests under load ({}: {}). Run it as root with kernel.sched_autogroup_enabled=1, or give its unit Nice={} as deployment/systemd/belay-node.service does.",
                    autogroup,
                    e.toString(),
                    NICE);
            return false;
        }
    }
}
