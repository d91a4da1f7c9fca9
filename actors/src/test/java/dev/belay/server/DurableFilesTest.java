package dev.belay.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.VmName;
import dev.belay.replica.FloorFiles;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server keeps over restarts of the node's process. */
class DurableFilesTest {
    private static final LeaseTerms TERMS =
            new LeaseTerms(Duration.ofSeconds(3), Duration.ofMillis(500), Duration.ofMillis(250));
    private static final VmName WEB = new VmName("web");

    @TempDir Path folder;

    @Test
    void aFloorIsReadBackByTheNextProcess() {
        var floors = new FloorFiles(folder.resolve("epochs"));
        assertThat(floors.read(WEB)).isEqualTo(Epoch.NONE);
        floors.keep(WEB, new Epoch(7));
        floors.keep(new VmName("mail"), new Epoch(2));
        floors.keep(WEB, new Epoch(8));
        assertThat(new FloorFiles(folder.resolve("epochs")).read(WEB)).isEqualTo(new Epoch(8));
    }

    @Test
    void aFloorThatCannotBeReadIsNotTakenForNone() throws Exception {
        Files.writeString(folder.resolve("web"), "");
        assertThatThrownBy(() -> new FloorFiles(folder).read(WEB))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(folder.resolve("web").toString());
    }

    @Test
    void aFloorThatCannotBeKeptIsAnError() throws Exception {
        Files.writeString(folder.resolve("epochs"), "a file where the folder should be");
        assertThatThrownBy(() -> new FloorFiles(folder.resolve("epochs")).keep(WEB, new Epoch(1)))
                .isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void thatAnIncarnationWasDeclaredCleanIsReadBackByTheNextProcess() {
        var path = folder.resolve("incarnation");
        var clean = new IncarnationFile.Saved("boot-a", new Incarnation(3), true);
        new IncarnationFile(path, TERMS).write(clean);
        assertThat(new IncarnationFile(path, TERMS).read()).contains(clean);
        assertThat(clean.usableIn("boot-a")).isEqualTo(Incarnation.NONE);
        var served = new IncarnationFile.Saved("boot-a", new Incarnation(4), false);
        new IncarnationFile(path, TERMS).write(served);
        assertThat(new IncarnationFile(path, TERMS).read()).contains(served);
        assertThat(served.usableIn("boot-a")).isEqualTo(new Incarnation(4));
        assertThat(served.usableIn("boot-b")).isEqualTo(Incarnation.NONE);
    }

    @Test
    void anIncarnationIsKeptWithTheTermsOfItsLeases() throws Exception {
        var path = folder.resolve("incarnation");
        var saved = new IncarnationFile.Saved("boot-a", new Incarnation(3), false);
        new IncarnationFile(path, TERMS).write(saved);
        var longer = new LeaseTerms(Duration.ofSeconds(5), TERMS.renewal(), TERMS.margin());
        assertThat(new IncarnationFile(path, TERMS).otherTerms()).isEmpty();
        assertThat(new IncarnationFile(path, longer).otherTerms()).contains("3000/500/250ms");
        assertThat(new IncarnationFile(path, longer).read()).contains(saved);

        Files.writeString(path, "boot-a 3 clean\n");
        assertThat(new IncarnationFile(path, longer).otherTerms())
                .as("of a version that did not write them")
                .isEmpty();
        assertThat(new IncarnationFile(path, longer).read())
                .contains(new IncarnationFile.Saved("boot-a", new Incarnation(3), true));
    }
}
