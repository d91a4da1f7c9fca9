package dev.belay;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.VmEvent;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The walls of this module. */
class ArchitectureTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.belay");

    @Test
    void valuesKnowOnlyTheJdk() {
        classes()
                .that()
                .resideInAPackage("dev.belay.model")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.belay.model",
                        "java.lang..",
                        "java.util..",
                        "java.time..",
                        "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void decisionsKnowOnlyValuesAndTheJdk() {
        classes()
                .that()
                .resideInAPackage("dev.belay.decision")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.belay.decision",
                        "dev.belay.model",
                        "java.lang..",
                        "java.util..",
                        "java.time..",
                        "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void decisionsReadNoClock() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.belay.decision", "dev.belay.model")
                .should()
                .callMethodWhere(
                        new DescribedPredicate<JavaMethodCall>("a clock is read") {
                            @Override
                            public boolean test(JavaMethodCall call) {
                                var owner = call.getTargetOwner().getFullName();
                                return (owner.startsWith("java.time.")
                                                && call.getName().equals("now"))
                                        || (owner.equals("java.lang.System")
                                                && Set.of("currentTimeMillis", "nanoTime")
                                                        .contains(call.getName()));
                            }
                        })
                .check(CLASSES);
    }

    @Test
    void decisionsThrowNoDice() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.belay.decision", "dev.belay.model")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.util.random..", "java.util.concurrent..")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching(
                        "java\\.util\\.(UUID|Random|SplittableRandom|Timer)|java\\.time\\.Clock|java\\.lang\\.(Thread|Process.*|Runtime)")
                .orShould()
                .callMethod(Math.class, "random")
                .check(CLASSES);
    }

    @Test
    void nothingHereKnowsHowItIsStoredServedOrRun() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.apache.ratis..",
                        "com.esotericsoftware..",
                        "com.fasterxml..",
                        "org.apache.pekko.http..",
                        "com.sun.net..",
                        "java.net.http..",
                        "picocli..",
                        "dev.belay.persistence..",
                        "dev.belay.node..",
                        "dev.belay.qemu..",
                        "dev.belay.http..",
                        "dev.belay.cli..")
                .check(CLASSES);
    }

    @Test
    void theClusterAndReplicasKnowNoEntity() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.belay.cluster", "dev.belay.replica")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.belay.vm",
                        "dev.belay.server",
                        "dev.belay.calm",
                        "dev.belay.entity",
                        "dev.belay.admin")
                .check(CLASSES);
    }

    @Test
    void nobodyKnowsTheAdmin() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.belay.admin")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.belay.admin")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.belay.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    /** Kept for ever, so each is named after what has happened; a new one is added here by hand. */
    @Test
    void eventsArePastTense() {
        classes()
                .that(
                        new DescribedPredicate<>("are events") {
                            @Override
                            public boolean test(com.tngtech.archunit.core.domain.JavaClass type) {
                                return !type.isInterface()
                                        && (type.isAssignableTo(VmEvent.class)
                                                || type.isAssignableTo(ServerEvent.class)
                                                || type.isAssignableTo(ClusterEvent.class));
                            }
                        })
                .should()
                .haveNameMatching(
                        ".*\\$(VmCreated|DesireChanged|LevelChanged|PlacementTried|NoServerFound|RightGranted|PairingTried|NoPartnerFound|PairGranted|RaiseProgressed|LockstepReached|PairEnded|SoloGranted|SoloReached|PairLost|LoserEnded|VmStarted|StopBegan|ReplicaEnded|StartFailed|BackOffBegan|VmSettled|FailoverBegan|FailoverAdvanced|LossProved|FailoverEnded|VmStopped|VmDeleted|ServerAdmitted|MemoryChanged|QemuTold|MemoryReserved|MemoryReleased|ServerFenced|FenceAgentFailed|FencingProved|LossCounted|LossForgotten|QuarantineBegan|QuarantineEnded|FreezeBegan|FreezeEnded|MaintenanceBegan|MaintenanceEnded|ProofVoided|TermsTold|ClusterDisarmed|LeaseTermsSet|ClusterArmed)")
                .check(CLASSES);
    }
}
