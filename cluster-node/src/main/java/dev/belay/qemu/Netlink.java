package dev.belay.qemu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/**
 * A socket to the kernel's own netfilter, for what happens too often to start {@code nft} for it.
 */
final class Netlink implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private static final int NETLINK_NETFILTER = 12;
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVTIMEO = 20;
    private static final int ANSWER = 64 * 1024;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle SOCKET =
            call(
                    "socket",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle SETSOCKOPT =
            call(
                    "setsockopt",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT));
    private static final FunctionDescriptor TRANSFER =
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT);
    private static final MethodHandle SEND = call("send", TRANSFER);
    private static final MethodHandle RECV = call("recv", TRANSFER);
    private static final MethodHandle CLOSE =
            call("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int socket;

    private Netlink(int socket) {
        this.socket = socket;
    }

    private static MethodHandle call(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                descriptor,
                Linker.Option.captureCallState("errno"));
    }

    /**
     * @param patience how long an answer is waited for
     */
    static Netlink open(Duration patience) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            var opened =
                    new Netlink(
                            (int)
                                    checked(
                                            "socket",
                                            state,
                                            (int)
                                                    SOCKET.invokeExact(
                                                            state,
                                                            AF_NETLINK,
                                                            SOCK_RAW_CLOEXEC,
                                                            NETLINK_NETFILTER)));
            var limit =
                    arena.allocateFrom(
                            ValueLayout.JAVA_LONG,
                            patience.toSeconds(),
                            patience.toNanosPart() / 1000L);
            checked(
                    "setsockopt",
                    state,
                    (int)
                            SETSOCKOPT.invokeExact(
                                    state,
                                    opened.socket,
                                    SOL_SOCKET,
                                    SO_RCVTIMEO,
                                    limit,
                                    (int) limit.byteSize()));
            return opened;
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("the kernel could not be called", e);
        }
    }

    void send(ByteBuffer message) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            var bytes = arena.allocate(message.remaining());
            bytes.copyFrom(MemorySegment.ofBuffer(message));
            checked(
                    "send",
                    state,
                    (long) SEND.invokeExact(state, socket, bytes, bytes.byteSize(), 0));
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("the kernel could not be called", e);
        }
    }

    /** The next answer, which may hold several messages; in this machine's byte order. */
    ByteBuffer receive() throws IOException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            var bytes = arena.allocate(ANSWER, Integer.BYTES);
            var length =
                    checked(
                            "recv",
                            state,
                            (long) RECV.invokeExact(state, socket, bytes, (long) ANSWER, 0));
            return ByteBuffer.wrap(bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE))
                    .order(ByteOrder.nativeOrder());
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("the kernel could not be called", e);
        }
    }

    private static long checked(String call, MemorySegment state, long result) throws IOException {
        if (result < 0) {
            throw new IOException(
                    call
                            + " to the kernel's netfilter failed: error "
                            + (int) ERRNO.get(state, 0L));
        }
        return result;
    }

    @Override
    public void close() {
        try (var arena = Arena.ofConfined()) {
            var _ = (int) CLOSE.invokeExact(arena.allocate(STATE), socket);
        } catch (Throwable e) {
            throw new IllegalStateException("the kernel could not be called", e);
        }
    }
}
