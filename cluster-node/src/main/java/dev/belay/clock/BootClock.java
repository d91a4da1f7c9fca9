package dev.belay.clock;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * CLOCK_BOOTTIME: the clock of leases. It counts on while the server sleeps and never jumps, and
 * all processes of a server read the same value, which {@link System#nanoTime} does not promise.
 */
public final class BootClock {
    private static final int CLOCK_BOOTTIME = 7;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final MethodHandle CLOCK_GETTIME =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS));

    private BootClock() {}

    /** Nanoseconds since the server booted. */
    public static long nanos() {
        try (var arena = Arena.ofConfined()) {
            var timespec = arena.allocate(ValueLayout.JAVA_LONG, 2);
            var failed = gettime(timespec);
            if (failed != 0) {
                throw new IllegalStateException(
                        "Expected clock_gettime(CLOCK_BOOTTIME) to succeed, but it returned "
                                + failed);
            }
            return timespec.getAtIndex(ValueLayout.JAVA_LONG, 0) * NANOS_PER_SECOND
                    + timespec.getAtIndex(ValueLayout.JAVA_LONG, 1);
        }
    }

    private static int gettime(MemorySegment timespec) {
        try {
            return (int) CLOCK_GETTIME.invokeExact(CLOCK_BOOTTIME, timespec);
        } catch (Throwable e) {
            throw new IllegalStateException("clock_gettime could not be called", e);
        }
    }
}
