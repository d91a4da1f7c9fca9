package dev.belay.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What kind of lab {@link Lab#up(LabOptions)} is to bring up.
 *
 * @param home where the lab's files go; its path is short, as sockets lie below it
 * @param bound the lab belongs to this process: if it dies without taking the lab down, the next
 *     {@code up} of any lab does it
 * @param replace takes down a lab of that name that is up, instead of refusing
 * @param keepFailed leaves a lab that did not get ready, for a look at it
 * @param patience how long all nodes together may take to get ready
 * @param program the command of a node, its configuration file to be added as last word; empty: a
 *     real node from the jars beside this class
 * @param environment for the nodes, on top of this process's own {@code BELAY_*} variables
 * @param progress gets a line now and then about what is going on
 */
public record LabOptions(
        String name,
        int servers,
        int witnesses,
        Path home,
        boolean bound,
        boolean replace,
        boolean keepFailed,
        Duration patience,
        List<String> program,
        Map<String, String> environment,
        Progress progress) {

    /** Where lines about the progress go. */
    @FunctionalInterface
    public interface Progress {
        void say(String line);
    }

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    public LabOptions {
        program = List.copyOf(program);
        environment = Map.copyOf(environment);
    }

    /** A lab of real nodes that stays until it is taken down, and says nothing meanwhile. */
    public static LabOptions of(String name, int servers, int witnesses) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                LabStore.defaultHome(),
                false,
                false,
                false,
                PATIENCE,
                List.of(),
                Map.of(),
                _ -> {});
    }

    public LabOptions withHome(Path newHome) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                newHome,
                bound,
                replace,
                keepFailed,
                patience,
                program,
                environment,
                progress);
    }

    /** The lab goes with this process: see {@link #bound}. */
    public LabOptions boundToThisProcess() {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                true,
                replace,
                keepFailed,
                patience,
                program,
                environment,
                progress);
    }

    public LabOptions withReplace(boolean newReplace) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                newReplace,
                keepFailed,
                patience,
                program,
                environment,
                progress);
    }

    public LabOptions withKeepFailed(boolean newKeepFailed) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                replace,
                newKeepFailed,
                patience,
                program,
                environment,
                progress);
    }

    public LabOptions withPatience(Duration newPatience) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                replace,
                keepFailed,
                newPatience,
                program,
                environment,
                progress);
    }

    public LabOptions withProgram(List<String> newProgram) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                replace,
                keepFailed,
                patience,
                newProgram,
                environment,
                progress);
    }

    public LabOptions withProgress(Progress newProgress) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                replace,
                keepFailed,
                patience,
                program,
                environment,
                newProgress);
    }

    /** Nodes get these variables, too. */
    public LabOptions withEnvironment(Map<String, String> newEnvironment) {
        return new LabOptions(
                name,
                servers,
                witnesses,
                home,
                bound,
                replace,
                keepFailed,
                patience,
                program,
                newEnvironment,
                progress);
    }
}
