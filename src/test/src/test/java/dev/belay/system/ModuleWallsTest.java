package dev.belay.system;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Dependencies point one way: lab → node → (http, cli, qemu), persistence → actors. */
class ModuleWallsTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.belay");

    @Test
    void whatDecidesKnowsNothingOfTheOutside() {
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
                        "com.fasterxml..")
                .check(CLASSES);
    }

    @Test
    void theJournalKnowsNoNode() {
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
                        "dev.belay.lab..")
                .check(CLASSES);
    }

    @Test
    void qemuEndpointAndCommandLineKnowNothingOfEachOtherOrOfTheJournal() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.belay.qemu..", "dev.belay.http..", "dev.belay.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.belay.persistence..", "dev.belay.node..", "dev.belay.lab..")
                .check(CLASSES);
    }

    @Test
    void onlyTheHypervisorAdapterKnowsQemu() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.belay.qemu..", "dev.belay.node..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.belay.qemu..")
                .check(CLASSES);
    }
}
