package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real namespaces and cables, with stand-ins for the nodes. Needs root: {@code -Preal}. */
@Tag("lab")
class LabTest extends StandInLabs {
    @Test
    void aLabComesUpAndGoesWithoutATrace() {
        var before = traces();

        var lab = Lab.up(options(NAME));

        assertThat(lab.status().isReady()).isTrue();
        assertThat(lab.nodes()).containsExactly("alpha", "bravo", "witness");
        assertThat(lab.api("bravo").getHost()).startsWith("10.91.").endsWith(".12");
        var pids = lab.nodes().stream().flatMap(node -> lab.processIds(node).stream()).toList();
        assertThat(pids).hasSize(6);

        lab.down();

        assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent() && !isZombie(pid));
        assertThat(traces()).isEqualTo(before);
        assertThat(home).isEmptyDirectory();
        lab.down();
    }

    /** Guests get their addresses from their lab's network. */
    @Test
    void labsStandSideBySideWhereverTheyLiveEachWithItsOwnNetwork() {
        var elsewhere = home.resolve("elsewhere");
        try (var one = Lab.up(options(NAME));
                var two = Lab.up(options(NAME + "-2"));
                var three = Lab.up(options(NAME + "-3").withHome(elsewhere))) {
            var labs = List.of(one, two, three);
            assertThat(labs).allMatch(lab -> lab.status().isReady());
            assertThat(labs).extracting(LabTest::clientNetwork).doesNotHaveDuplicates();
            assertThat(Lab.list(home)).containsExactly(NAME, NAME + "-2");
            assertThat(Lab.list(elsewhere)).containsExactly(NAME + "-3");

            one.down();

            assertThat(two.status().isReady()).isTrue();
            assertThat(three.status().isReady()).isTrue();
        }
    }

    private static String clientNetwork(Lab lab) {
        return lab.api("alpha").getHost().replaceFirst("[0-9]+$", "0/24");
    }

    @Test
    void aLabThatIsUpIsNotReplacedUnasked() {
        try (var lab = Lab.up(options(NAME))) {
            assertThatThrownBy(() -> Lab.up(options(NAME)))
                    .isInstanceOf(LabException.class)
                    .hasMessageContaining("is up");
            assertThat(lab.status().isReady()).isTrue();

            Lab.up(options(NAME).withReplace(true));

            assertThat(lab.status().isReady()).isTrue();
        }
    }

    @Test
    void whatAKilledLabLeftGoesWithTheNextUp() throws Exception {
        var before = traces();
        var orphaned = boundLab(NAME + "-o");
        until(() -> Lab.list(home).contains(NAME + "-o") && isUp(NAME + "-o"));
        var halfBuilt = boundLab(NAME + "-h");
        until(() -> NodeProcesses.namespaces().contains("belay-" + NAME + "-h-bravo"));
        halfBuilt.destroyForcibly().waitFor();
        orphaned.destroyForcibly().waitFor();
        assertThat(Lab.list(home)).containsExactly(NAME + "-h", NAME + "-o");

        var lab = Lab.up(options(NAME + "-h"));

        assertThat(Lab.list(home)).containsExactly(NAME + "-h");
        assertThat(lab.status().isReady()).isTrue();
        assertThat(NodeProcesses.namespaces()).noneMatch(name -> name.contains(NAME + "-o-"));

        // Its files are lost: the bridge still tells.
        LabStore.deleteTree(home.resolve(NAME + "-h"));
        Lab.up(options(NAME)).down();

        assertThat(traces()).isEqualTo(before);
    }

    @Test
    void aNodeThatCannotStartIsReportedWithItsLastWordsAndNothingIsLeft() {
        var before = traces();
        var hopeless = options(NAME).withProgram(List.of("sh", "-c", "echo no such thing; exit 3"));

        assertThatThrownBy(() -> Lab.up(hopeless))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("keeps ending")
                .hasMessageContaining("no such thing")
                .hasMessageContaining("ended with code 3");

        assertThat(traces()).isEqualTo(before);
    }

    // --- helpers ---

    private Process boundLab(String name) throws IOException {
        var command = new ArrayList<>(java("dev.belay.lab.BoundLab"));
        command.addAll(List.of(home.toString(), name));
        command.addAll(standIn());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve(name + ".log").toFile())
                .start();
    }

    private boolean isUp(String name) {
        return new LabStore(home)
                .read(name)
                .filter(state -> state.phase() == LabState.Phase.UP)
                .isPresent();
    }

    /** Namespaces and bridges of this test's labs, whatever else is on the machine. */
    private static List<String> traces() {
        var traces = new ArrayList<String>();
        NodeProcesses.namespaces().stream()
                .filter(name -> name.startsWith("belay-" + NAME))
                .forEach(traces::add);
        LabNetwork.traces().stream()
                .filter(trace -> trace.lab().startsWith(NAME))
                .forEach(trace -> traces.add(trace.toString()));
        return traces;
    }

    private static boolean isZombie(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException e) {
            return true;
        }
    }
}
