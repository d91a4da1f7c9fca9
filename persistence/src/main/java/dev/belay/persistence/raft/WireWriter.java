package dev.belay.persistence.raft;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Writes a message field by field, in the form that {@link WireReader} reads. */
final class WireWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    private final DataOutputStream out = new DataOutputStream(bytes);

    private interface Step {
        void run() throws IOException;
    }

    private WireWriter step(Step step) {
        try {
            step.run();
        } catch (IOException impossibleInMemory) {
            throw new UncheckedIOException(impossibleInMemory);
        }
        return this;
    }

    WireWriter u8(int value) {
        return step(() -> out.writeByte(value));
    }

    WireWriter bool(boolean value) {
        return u8(value ? 1 : 0);
    }

    WireWriter i32(int value) {
        return step(() -> out.writeInt(value));
    }

    WireWriter i64(long value) {
        return step(() -> out.writeLong(value));
    }

    WireWriter uuid(UUID value) {
        return i64(value.getMostSignificantBits()).i64(value.getLeastSignificantBits());
    }

    WireWriter bytes(byte[] value) {
        return i32(value.length).step(() -> out.write(value));
    }

    /** The bytes as they are, without their length: only as the last field. */
    WireWriter rest(byte[] value) {
        return step(() -> out.write(value));
    }

    WireWriter text(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }
}
