package dev.belay.system;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Moves the calling thread into a network namespace, so that a test can ask from inside a server's
 * network without any process there: such a process would be paused and killed with the server.
 */
final class Namespace {
    private static final int O_RDONLY = 0;
    private static final int CLONE_NEWNET = 0x40000000;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN =
            function(
                    "open",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                    Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SETNS =
            function(
                    "setns",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private Namespace() {}

    private static MethodHandle function(
            String name, FunctionDescriptor shape, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, options);
    }

    /**
     * For threads of their own only, platform threads that end afterwards: sockets that this thread
     * opens from here on are in that namespace.
     *
     * @return false if there is no such namespace, as while a server's power is off
     */
    static boolean enter(String name) {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a virtual thread shares its carrier with others");
        }
        try (var arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom("/run/netns/" + name);
            int file = (int) OPEN.invokeExact(path, O_RDONLY);
            if (file < 0) {
                return false;
            }
            int failed = (int) SETNS.invokeExact(file, CLONE_NEWNET);
            int _ = (int) CLOSE.invokeExact(file);
            return failed == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("cannot enter namespace " + name, e);
        }
    }
}
