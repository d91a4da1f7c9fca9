package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Fence;
import dev.belay.lab.Lab;
import dev.belay.lab.LabOptions;
import dev.belay.lab.TestVm;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Fence agents as they should be, and as they are. */
@Tag("system")
class FenceAgentTest {
    private static final String VM = "fenced";

    @Test
    void anAgentThatWorksIsBelievedAtOnceAndTheServerIsOff() {
        try (var lab = lab(Fence.WORKS)) {
            var cluster = new Cluster(lab);
            var guest = cluster.create(VM, TestVm.Disk.SHARED);
            var before = cluster.server(VM);
            var epoch = cluster.epoch(VM);
            try (var history = History.of(lab, VM, guest, TestVm.Disk.SHARED)) {
                // It lives, and runs the VM, when the agent comes.
                lab.cut(before, Lab.Direction.BOTH);
                cluster.awaitNewer(VM, epoch, guest);

                assertThat(report(cluster))
                        .anyMatch(step -> step.contains("switched it off and then saw it off"));
                assertThat(lab.processIds(before)).isEmpty();
                lab.heal(before);
                lab.start(before);
                lab.awaitReady(Cluster.PATIENCE);
                history.check();
            }
        }
    }

    @Test
    void anAgentThatHangsDelaysNothingAndTheReportSaysSo() {
        try (var lab = lab(Fence.HANGS)) {
            assertThat(reportOfAPowerCut(lab))
                    .anyMatch(step ->
                            step.contains("its lease was waited out")
                                    && step.contains("no fence agent had confirmed"));
        }
    }

    @Test
    void anAgentThatIsMissingDelaysNothingAndTheReportSaysSo() {
        try (var lab = lab(Fence.MISSING)) {
            assertThat(reportOfAPowerCut(lab))
                    .anyMatch(step ->
                            step.contains("its lease was waited out")
                                    && step.contains("no-such-agent could not be run"));
        }
    }

    /**
     * The one way to make Belay run a VM twice, for as long as the lease of the server that lives
     * lasts. Nothing can be done about it, but afterwards everybody can see who was believed.
     */
    @Test
    void anAgentThatLiesIsBelievedAndTheReportShowsIt() {
        try (var lab = lab(Fence.LIES)) {
            var cluster = new Cluster(lab);
            var guest = cluster.create(VM, TestVm.Disk.EPHEMERAL);
            var before = cluster.server(VM);
            var epoch = cluster.epoch(VM);

            lab.cut(before, Lab.Direction.BOTH);
            cluster.awaitNewer(VM, epoch, guest);

            assertThat(report(cluster))
                    .anyMatch(step ->
                            step.contains("nothing runs on " + before)
                                    && step.contains("switched it off and then saw it off"));
            // It was not: its own leash has ended the other copy.
            assertThat(lab.processIds(before)).isNotEmpty();
            await().atMost(Cluster.PATIENCE)
                    .untilAsserted(() ->
                            assertThat(lab.serversRunning(VM))
                                    .containsExactly(cluster.other(before)));
            lab.heal(before);
            lab.awaitReady(Cluster.PATIENCE);
            cluster.assertOneCopy(VM);
        }
    }

    private static Lab lab(Fence fence) {
        return Lab.up(LabOptions.of("fence", 2, 1).withFence(fence).boundToThisProcess());
    }

    private static List<String> reportOfAPowerCut(Lab lab) {
        var cluster = new Cluster(lab);
        var guest = cluster.create(VM, TestVm.Disk.EPHEMERAL);
        var epoch = cluster.epoch(VM);
        lab.kill(cluster.server(VM));
        cluster.awaitNewer(VM, epoch, guest);
        cluster.assertOneCopy(VM);
        return report(cluster);
    }

    private static List<String> report(Cluster cluster) {
        return cluster.steps(cluster.lastReport(VM));
    }
}
