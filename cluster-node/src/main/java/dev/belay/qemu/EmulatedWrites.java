package dev.belay.qemu;

import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has an emulated guest's writes noticed again, every one of them. When QEMU (up to 11.1) looks at
 * what was written since its last look, it only then has its processors report the next write to
 * each page when one of those pages was not known to be sent yet (physical_memory_sync_dirty_bitmap
 * in migration/ram.c). The last look of a migration often finds none; an ordinary migration ends
 * there, and a primary goes on. What it then writes to those pages, until it next changes its
 * address space, would be missing on the other side: a kernel of two moments.
 *
 * <p>A processor forgets what it may write unreported when the map of its memory changes. While the
 * guest is paused, a window of the BIOS is switched from memory to nothing, and back. With KVM
 * nothing is done: there the kernel reports.
 */
final class EmulatedWrites {
    private static final Logger log = LoggerFactory.getLogger(EmulatedWrites.class);

    /** Selects a register of the PCI bus; what comes next reads or writes it at DATA. */
    private static final int SELECT = 0xcf8;

    private static final int DATA = 0xcfc;
    private static final long HOST_BRIDGE = 0x8000_0000L;

    /** Of the chipsets that QEMU has: which of the host bridge's registers maps such a window. */
    private static final Map<Long, Integer> WINDOWS =
            Map.of(0x1237_8086L, 0x5d, 0x29c0_8086L, 0x95);

    /** Of both windows in that register: that reads go to memory. */
    private static final long READABLE = 0x11;

    private final PairQmp qmp;

    EmulatedWrites(PairQmp qmp) {
        this.qmp = qmp;
    }

    /** The guest must be paused, and stays so. Blocks. */
    void reportAll() {
        if (qmp.run("query-kvm").path("enabled").asBoolean()) {
            return;
        }
        // The guest may have been about to use what it had selected.
        var selected = read('w', SELECT);
        try {
            write('w', SELECT, HOST_BRIDGE);
            var window = WINDOWS.get(read('w', DATA));
            if (window == null) {
                log.warn(
                        "This machine type has a chipset that is not known here; under emulation its second copy may differ from it");
                return;
            }
            write('w', SELECT, HOST_BRIDGE | (window & ~3));
            var port = DATA + (window & 3);
            var mapped = read('b', port);
            try {
                write('b', port, mapped ^ READABLE);
            } finally {
                write('b', port, mapped);
            }
        } finally {
            write('w', SELECT, selected);
        }
    }

    private long read(char size, int port) {
        var said = monitor("i /%s %#x".formatted(size, port));
        try {
            return Long.decode(said.substring(said.indexOf('=') + 1).strip());
        } catch (NumberFormatException e) {
            throw QmpException.refused(
                    "reading port %#x".formatted(port), e.getClass().getSimpleName(), said);
        }
    }

    private void write(char size, int port, long value) {
        var said = monitor("o /%s %#x %#x".formatted(size, port, value));
        if (!said.isBlank()) {
            log.warn(
                    "Port 0x{} of the guest could not be written: {}",
                    Integer.toHexString(port),
                    said);
        }
    }

    private String monitor(String line) {
        return qmp.run("human-monitor-command", QmpClient.arguments().put("command-line", line))
                .asText();
    }
}
