package dev.belay.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of bounded length from a channel: a peer gone mad must not fill the heap. */
final class QmpLines {
    static final int LONGEST = 16 * 1024 * 1024;

    private final ReadableByteChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(16 * 1024).limit(0);

    QmpLines(ReadableByteChannel channel) {
        this.channel = channel;
    }

    /** The next line that is not empty, without its end; null at the end of the file. */
    @Nullable String next() throws IOException {
        var line = new ByteArrayOutputStream();
        while (true) {
            while (buffer.hasRemaining()) {
                var c = buffer.get();
                if (c != '\n') {
                    line.write(c);
                } else if (!line.toString(StandardCharsets.UTF_8).isBlank()) {
                    return line.toString(StandardCharsets.UTF_8);
                } else {
                    line.reset();
                }
            }
            if (line.size() > LONGEST) {
                throw new IOException(
                        "protocol error: expected lines up to "
                                + LONGEST
                                + " bytes, but one is longer");
            }
            buffer.clear();
            var count = channel.read(buffer);
            buffer.flip();
            if (count < 0) {
                return null;
            }
        }
    }
}
