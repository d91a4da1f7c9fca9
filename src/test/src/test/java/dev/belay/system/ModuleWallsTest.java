package dev.belay.system;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies point one way: lab → node → (http, cli, qemu), persistence → actors. */
@AnalyzeClasses(packages = "dev.belay", importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleWallsTest {
    @ArchTest
    static final ArchRule whatDecidesKnowsNothingOfTheOutside =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "dev.belay.model..",
                            "dev.belay.decision..",
                            "dev.belay.vm..",
                            "dev.belay.server..",
                            "dev.belay.replica..",
                            "dev.belay.cluster..",
                            "dev.belay.admin..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.belay.persistence..",
                            "dev.belay.node..",
                            "dev.belay.qemu..",
                            "dev.belay.http..",
                            "dev.belay.cli..",
                            "dev.belay.lab..",
                            "org.apache.ratis..",
                            "com.esotericsoftware..",
                            "com.fasterxml..");

    @ArchTest
    static final ArchRule theJournalKnowsNoNode =
            noClasses()
                    .that()
                    .resideInAPackage("dev.belay.persistence..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.belay.node..",
                            "dev.belay.qemu..",
                            "dev.belay.http..",
                            "dev.belay.cli..",
                            "dev.belay.lab..");

    @ArchTest
    static final ArchRule qemuEndpointAndCommandLineKnowNothingOfEachOtherOrOfTheJournal =
            noClasses()
                    .that()
                    .resideInAnyPackage("dev.belay.qemu..", "dev.belay.http..", "dev.belay.cli..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.belay.persistence..", "dev.belay.node..", "dev.belay.lab..");

    @ArchTest
    static final ArchRule onlyTheHypervisorAdapterKnowsQemu =
            noClasses()
                    .that()
                    .resideOutsideOfPackages("dev.belay.qemu..", "dev.belay.node..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.belay.qemu..");
}
