package dev.belay.persistence.raft;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Reads a message field by field. Lengths are compared with what is left before anything is
 * allocated, so damaged bytes end in {@link MalformedException} and in nothing else.
 */
final class WireReader {
    /** The bytes are not a message of this codec. */
    static final class MalformedException extends RuntimeException {
        MalformedException(String message) {
            super(message);
        }
    }

    private final ByteBuffer in;

    WireReader(byte[] bytes) {
        this(ByteBuffer.wrap(bytes));
    }

    WireReader(ByteBuffer bytes) {
        in = bytes;
    }

    private void need(long size) {
        if (size < 0 || size > in.remaining()) {
            throw new MalformedException(
                    "Expected " + size + " more bytes, but " + in.remaining() + " are left");
        }
    }

    int u8() {
        need(1);
        return in.get() & 0xff;
    }

    boolean bool() {
        int value = u8();
        if (value > 1) {
            throw new MalformedException("Expected 0 or 1, but got " + value);
        }
        return value == 1;
    }

    int i32() {
        need(Integer.BYTES);
        return in.getInt();
    }

    long i64() {
        need(Long.BYTES);
        return in.getLong();
    }

    UUID uuid() {
        return new UUID(i64(), i64());
    }

    byte[] bytes() {
        int length = i32();
        need(length);
        var value = new byte[length];
        in.get(value);
        return value;
    }

    byte[] rest() {
        var value = new byte[in.remaining()];
        in.get(value);
        return value;
    }

    String text() {
        return new String(bytes(), StandardCharsets.UTF_8);
    }

    /** A list whose items take at least {@code leastSize} bytes each. */
    <T> List<T> list(int leastSize, Supplier<T> item) {
        int count = i32();
        need(count < 0 ? count : (long) count * leastSize);
        var items = new ArrayList<T>(count);
        for (int i = 0; i < count; i++) {
            items.add(item.get());
        }
        return List.copyOf(items);
    }

    /** The message ends here. */
    void end() {
        if (in.hasRemaining()) {
            throw new MalformedException(in.remaining() + " bytes after the end of the message");
        }
    }
}
