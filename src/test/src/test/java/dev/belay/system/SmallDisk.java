package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A small disk of its own for a node's journal. It is in memory, and in the node's processes' view
 * of the files only: with them it goes, whatever becomes of the test.
 */
final class SmallDisk implements AutoCloseable {
    private static final int MEBIBYTES = 48;

    private final Lab lab;
    private final String node;
    private final Path journal;
    private final long supervisor;

    private SmallDisk(Lab lab, String node) throws IOException {
        this.lab = lab;
        this.node = node;
        journal = lab.data(node).resolve("journal");
        var pid = Files.readString(lab.data(node).resolveSibling("supervisor.pid"));
        supervisor = Long.parseLong(pid.strip());
    }

    /** The journal moves there, and the node's process starts again. */
    static SmallDisk mount(Lab lab, String node) throws IOException, InterruptedException {
        var disk = new SmallDisk(lab, node);
        disk.withoutTheNode(
                """
                mv $0 $0.moved && mkdir $0
                mount -t tmpfs -o size=%dm belay-test $0
                cp -a $0.moved/. $0 && rm -r $0.moved
                """
                        .formatted(MEBIBYTES));
        return disk;
    }

    /** To the last block. */
    void fill() throws IOException, InterruptedException {
        run("dd if=/dev/zero of=$0/ballast bs=4k 2>/dev/null || stat $0/ballast");
    }

    void makeRoom() throws IOException, InterruptedException {
        run("rm -f $0/ballast");
    }

    /** The journal moves back to where the node's other data are. */
    @Override
    public void close() throws IOException, InterruptedException {
        // Lazily: what is left of the killed process may have files open, and writes no more.
        withoutTheNode(
                """
                rm -f $0/ballast
                cp -a $0 $0.moved && umount --lazy $0
                rmdir $0 && mv $0.moved $0
                """);
    }

    /** Nothing writes meanwhile, and it takes less than a lease. */
    private void withoutTheNode(String script) throws IOException, InterruptedException {
        lab.pause(node);
        lab.crash(node);
        try {
            run(script);
        } finally {
            lab.resume(node);
        }
    }

    private void run(String script) throws IOException, InterruptedException {
        var process =
                new ProcessBuilder(
                                "nsenter",
                                "--target",
                                Long.toString(supervisor),
                                "--mount",
                                "bash",
                                "-ec",
                                script,
                                journal.toString())
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        assertThat(process.waitFor()).as(script).isZero();
    }
}
