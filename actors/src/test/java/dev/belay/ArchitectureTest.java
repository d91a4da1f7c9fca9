package dev.belay;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.VmEvent;
import java.util.Set;

/** The walls of this module. */
@AnalyzeClasses(packages = "dev.belay", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule values_know_only_the_jdk =
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
                            "org.jspecify..");

    @ArchTest
    static final ArchRule decisions_know_only_values_and_the_jdk =
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
                            "org.jspecify..");

    @ArchTest
    static final ArchRule decisions_read_no_clock =
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
                            });

    @ArchTest
    static final ArchRule decisions_throw_no_dice =
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
                    .callMethod(Math.class, "random");

    @ArchTest
    static final ArchRule nothing_here_knows_how_it_is_stored_served_or_run =
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
                            "dev.belay.cli..");

    @ArchTest
    static final ArchRule the_cluster_and_replicas_know_no_entity =
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
                            "dev.belay.admin");

    @ArchTest
    static final ArchRule nobody_knows_the_admin =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("dev.belay.admin")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.belay.admin");

    @ArchTest
    static final ArchRule packages_have_no_cycles =
            slices().matching("dev.belay.(*)..").should().beFreeOfCycles();

    /** Kept for ever, so each is named after what has happened; a new one is added here by hand. */
    @ArchTest
    static final ArchRule events_are_past_tense =
            classes()
                    .that(
                            new DescribedPredicate<>("are events") {
                                @Override
                                public boolean test(
                                        com.tngtech.archunit.core.domain.JavaClass type) {
                                    return !type.isInterface()
                                            && (type.isAssignableTo(VmEvent.class)
                                                    || type.isAssignableTo(ServerEvent.class)
                                                    || type.isAssignableTo(ClusterEvent.class));
                                }
                            })
                    .should()
                    .haveNameMatching(
                            ".*\\$(VmCreated|DesireChanged|PlacementTried|NoServerFound|RightGranted|VmStarted|StopBegan|ReplicaEnded|StartFailed|BackOffBegan|VmSettled|FailoverBegan|FailoverAdvanced|LossProved|FailoverEnded|VmStopped|VmDeleted|ServerAdmitted|MemoryChanged|MemoryReserved|MemoryReleased|ServerFenced|FenceAgentFailed|FencingProved|LossCounted|LossForgotten|QuarantineBegan|QuarantineEnded|FreezeBegan|FreezeEnded|MaintenanceBegan|MaintenanceEnded|ProofVoided|ClusterDisarmed|LeaseTermsSet|ClusterArmed)");
}
