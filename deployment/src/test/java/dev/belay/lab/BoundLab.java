package dev.belay.lab;

import java.nio.file.Path;
import java.util.List;

/** Brings up a lab that belongs to this process, and sits there to be killed. */
final class BoundLab {
    private BoundLab() {}

    /** Words: home, name, then the command of a node. */
    public static void main(String[] words) {
        var lab =
                Lab.up(
                        LabOptions.of(words[1], 2, 1)
                                .withHome(Path.of(words[0]))
                                .withProgram(List.of(words).subList(2, words.length))
                                .boundToThisProcess());
        System.out.println("up: " + lab.name());
        Shell.pause(Long.MAX_VALUE);
    }
}
