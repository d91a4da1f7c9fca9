package dev.belay.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What kind of lab {@link Lab#up(LabOptions)} is to bring up. Never changes: each {@code with…}
 * copies.
 */
public final class LabOptions {
    /** Where lines about the progress go. */
    @FunctionalInterface
    public interface Progress {
        void say(String line);
    }

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String name;
    private final int servers;
    private final int witnesses;
    private Path home = LabStore.defaultHome();
    private boolean bound;
    private boolean replace;
    private boolean keepFailed;
    private Duration patience = PATIENCE;
    private List<String> program = List.of();
    private Map<String, String> environment = Map.of();
    private String settings = "";
    private Fence fence = Fence.OFF;
    private boolean fakeClock;
    private Progress progress = _ -> {};

    private LabOptions(String name, int servers, int witnesses) {
        this.name = name;
        this.servers = servers;
        this.witnesses = witnesses;
    }

    /** A lab of real nodes that stays until it is taken down, and says nothing meanwhile. */
    public static LabOptions of(String name, int servers, int witnesses) {
        return new LabOptions(name, servers, witnesses);
    }

    /** Where the lab's files go; its path is short, as sockets lie below it. */
    public LabOptions withHome(Path folder) {
        return with(copy -> copy.home = folder);
    }

    /**
     * The lab belongs to this process: if it dies without taking the lab down, the next {@code up}
     * of any lab does it.
     */
    public LabOptions boundToThisProcess() {
        return with(copy -> copy.bound = true);
    }

    /** Takes down a lab of that name that is up, instead of refusing. */
    public LabOptions withReplace(boolean wanted) {
        return with(copy -> copy.replace = wanted);
    }

    /** Leaves a lab that did not get ready, for a look at it. */
    public LabOptions withKeepFailed(boolean wanted) {
        return with(copy -> copy.keepFailed = wanted);
    }

    /** How long all nodes together may take to get ready. */
    public LabOptions withPatience(Duration atMost) {
        return with(copy -> copy.patience = atMost);
    }

    /**
     * The command of a node, its configuration file to be added as last word; empty: a real node
     * from the jars beside this class.
     */
    public LabOptions withProgram(List<String> words) {
        return with(copy -> copy.program = List.copyOf(words));
    }

    /** For the nodes, on top of this process's own {@code BELAY_*} variables. */
    public LabOptions withEnvironment(Map<String, String> variables) {
        return with(copy -> copy.environment = Map.copyOf(variables));
    }

    /** More lines for every node's {@code belay.conf}, in HOCON; they win. */
    public LabOptions withSettings(String hocon) {
        return with(copy -> copy.settings = hocon);
    }

    /** Gives every server a fence agent that behaves so. */
    public LabOptions withFence(Fence behaviour) {
        return with(copy -> copy.fence = behaviour);
    }

    /** Lets {@link Lab#clock} shift the nodes' wall clocks; needs gcc. */
    public LabOptions withFakeClock(boolean wanted) {
        return with(copy -> copy.fakeClock = wanted);
    }

    /** Gets a line now and then about what is going on. */
    public LabOptions withProgress(Progress listener) {
        return with(copy -> copy.progress = listener);
    }

    private LabOptions with(Consumer<LabOptions> change) {
        var copy = new LabOptions(name, servers, witnesses);
        copy.home = home;
        copy.bound = bound;
        copy.replace = replace;
        copy.keepFailed = keepFailed;
        copy.patience = patience;
        copy.program = program;
        copy.environment = environment;
        copy.settings = settings;
        copy.fence = fence;
        copy.fakeClock = fakeClock;
        copy.progress = progress;
        change.accept(copy);
        return copy;
    }

    String name() {
        return name;
    }

    int servers() {
        return servers;
    }

    int witnesses() {
        return witnesses;
    }

    Path home() {
        return home;
    }

    boolean bound() {
        return bound;
    }

    boolean replace() {
        return replace;
    }

    boolean keepFailed() {
        return keepFailed;
    }

    Duration patience() {
        return patience;
    }

    List<String> program() {
        return program;
    }

    Map<String, String> environment() {
        return environment;
    }

    String settings() {
        return settings;
    }

    Fence fence() {
        return fence;
    }

    boolean fakeClock() {
        return fakeClock;
    }

    Progress progress() {
        return progress;
    }
}
