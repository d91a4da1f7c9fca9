package dev.belay.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Sees every line of a QMP dialogue, to record it. */
public interface QmpTap {
    QmpTap NONE = (_, _) -> {};

    /** Environment variable that names a folder: every dialogue is then recorded there. */
    String FOLDER_VARIABLE = "BELAY_QMP_RECORD";

    /**
     * @param sent by us, not by the server
     */
    void line(boolean sent, String json);

    /** Appends to a file that tests replay: {@code {"sent":…}} or {@code {"received":…}} a line. */
    static QmpTap into(Path file) {
        return (sent, json) -> {
            try {
                Files.writeString(
                        file,
                        "{\"" + (sent ? "sent" : "received") + "\":" + json.strip() + "}\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException("The QMP dialogue cannot be recorded", e);
            }
        };
    }

    /** Records into the folder that the environment names; nowhere when it names none. */
    static QmpTap fromEnvironment(String name) {
        var folder = System.getenv(FOLDER_VARIABLE);
        return folder == null ? NONE : into(Path.of(folder, name + ".jsonl"));
    }
}
