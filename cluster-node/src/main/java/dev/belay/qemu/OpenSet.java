package dev.belay.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The set of a gate whose taps may send: elements that time out by themselves, changed in the
 * kernel's own words (netlink). Each change is one transaction; the set itself is made elsewhere.
 *
 * <p>A change is BATCH_BEGIN, messages on set elements, BATCH_END. The kernel answers each message
 * that fails, and after all of them the one that asked for an answer, which here is the last.
 */
final class OpenSet {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final int HEADER = 20;
    private static final int LONGEST_ELEMENT = 48;
    private static final int KEY = 16;

    private static final short ERROR = 2;
    private static final short BATCH_BEGIN = 0x10;
    private static final short BATCH_END = 0x11;
    private static final int NFTABLES = 10;
    private static final short NEW_ELEMENT = NFTABLES << 8 | 12;
    private static final short DELETE_ELEMENT = NFTABLES << 8 | 14;
    private static final byte FAMILY_NETDEV = 5;

    private static final int REQUEST = 0x1;
    private static final int ACKNOWLEDGE = 0x4;
    private static final int CREATE = 0x400;

    private static final int NESTED = 0x8000;
    private static final int LIST_TABLE = 1;
    private static final int LIST_SET = 2;
    private static final int LIST_ELEMENTS = 3;
    private static final int LIST_ELEMENT = 1;
    private static final int ELEMENT_KEY = 1;
    private static final int ELEMENT_TIMEOUT = 4;
    private static final int DATA_VALUE = 1;

    private final String table;
    private final String name;
    private @Nullable Netlink kernel;
    private int number;

    OpenSet(String table, String name) {
        this.table = table;
        this.name = name;
    }

    /**
     * Lets each tap's element, there or not, end so many milliseconds from now: a plain addition
     * does not renew on kernels before 6.12, and a plain deletion fails when the element has timed
     * out. Empty when the kernel has done it, else what it says.
     */
    Optional<String> renew(Map<String, Long> millis) {
        return change(millis, true);
    }

    /** Takes the taps out, also those that are not in. */
    Optional<String> remove(Iterable<String> taps) {
        var millis = new java.util.HashMap<String, Long>();
        taps.forEach(tap -> millis.put(tap, 1000L));
        return change(millis, false);
    }

    private synchronized Optional<String> change(Map<String, Long> millis, boolean stay) {
        var batch =
                ByteBuffer.allocate(
                                5 * HEADER
                                        + 3 * (64 + table.length() + name.length())
                                        + 3 * LONGEST_ELEMENT * millis.size())
                        .order(ByteOrder.nativeOrder());
        mark(batch, BATCH_BEGIN);
        var first = number;
        elements(batch, NEW_ELEMENT, REQUEST | CREATE, millis);
        elements(batch, DELETE_ELEMENT, REQUEST | (stay ? 0 : ACKNOWLEDGE), millis);
        if (stay) {
            elements(batch, NEW_ELEMENT, REQUEST | CREATE | ACKNOWLEDGE, millis);
        }
        var last = number;
        mark(batch, BATCH_END);
        try {
            var open = kernel == null ? Netlink.open(PATIENCE) : kernel;
            kernel = open;
            open.send(batch.flip());
            var error = answer(open, first, last);
            return error == 0
                    ? Optional.empty()
                    : Optional.of("the kernel refuses the change of its set, error " + error);
        } catch (IOException e) {
            disconnect();
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** The first error of these messages, or 0 when the last of them is done. */
    private static int answer(Netlink kernel, int first, int last) throws IOException {
        while (true) {
            var answer = kernel.receive();
            while (answer.remaining() >= HEADER) {
                var start = answer.position();
                var length = answer.getInt(start);
                var type = answer.getShort(start + 4);
                var sequence = answer.getInt(start + 8);
                if (length < HEADER) {
                    throw new IOException(
                            "the kernel's answer makes no sense: " + length + " bytes");
                }
                // What is older answers a change that was given up.
                if (type == ERROR && sequence - first >= 0 && sequence - last <= 0) {
                    var error = -answer.getInt(start + 16);
                    if (error != 0 || sequence == last) {
                        return error;
                    }
                }
                answer.position(Math.min(answer.limit(), start + aligned(length)));
            }
        }
    }

    private void disconnect() {
        if (kernel != null) {
            kernel.close();
            kernel = null;
        }
    }

    private void elements(ByteBuffer batch, short type, int flags, Map<String, Long> millis) {
        var message = header(batch, type, flags, FAMILY_NETDEV, 0);
        text(batch, LIST_TABLE, table);
        text(batch, LIST_SET, name);
        var list = attribute(batch, LIST_ELEMENTS | NESTED);
        millis.forEach((tap, timeout) -> {
            var element = attribute(batch, LIST_ELEMENT | NESTED);
            var key = attribute(batch, ELEMENT_KEY | NESTED);
            var value = attribute(batch, DATA_VALUE);
            batch.put(java.util.Arrays.copyOf(ascii(tap), KEY));
            end(batch, value);
            end(batch, key);
            if (type == NEW_ELEMENT) {
                var time = attribute(batch, ELEMENT_TIMEOUT);
                batch.order(ByteOrder.BIG_ENDIAN).putLong(timeout).order(ByteOrder.nativeOrder());
                end(batch, time);
            }
            end(batch, element);
        });
        end(batch, list);
        batch.putInt(message, batch.position() - message);
    }

    private void mark(ByteBuffer batch, short type) {
        header(batch, type, REQUEST, (byte) 0, NFTABLES);
    }

    /** Starts a message, which may have no more than that; answers where. */
    private int header(ByteBuffer batch, short type, int flags, byte family, int resource) {
        var start = batch.position();
        batch.putInt(HEADER).putShort(type).putShort((short) flags).putInt(++number).putInt(0);
        batch.put(family).put((byte) 0);
        batch.order(ByteOrder.BIG_ENDIAN).putShort((short) resource).order(ByteOrder.nativeOrder());
        return start;
    }

    private static int attribute(ByteBuffer batch, int type) {
        var start = batch.position();
        batch.putShort((short) 0).putShort((short) type);
        return start;
    }

    private static void end(ByteBuffer batch, int start) {
        var length = batch.position() - start;
        batch.putShort(start, (short) length);
        batch.position(start + aligned(length));
    }

    private static void text(ByteBuffer batch, int type, String text) {
        var start = attribute(batch, type);
        batch.put(ascii(text)).put((byte) 0);
        end(batch, start);
    }

    private static int aligned(int length) {
        return length + 3 & ~3;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
