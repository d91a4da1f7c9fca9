package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GuestCpuTest {
    private static final String OWN = "AMD EPYC 9354 32-Core Processor";

    @Test
    void theFirstAcceleratorThatWorksIsTheOneInUse() {
        assertThat(GuestCpu.accelerator("kvm:tcg", true)).isEqualTo("kvm");
        assertThat(GuestCpu.accelerator("kvm:tcg", false)).isEqualTo("tcg");
        assertThat(GuestCpu.accelerator("tcg:kvm", true)).isEqualTo("tcg");
        // No guest starts there; QEMU says why.
        assertThat(GuestCpu.accelerator("kvm", false)).isEqualTo("kvm");
    }

    @Test
    void aModelThatMeansTheServersOwnCpuCarriesItsName() {
        assertThat(GuestCpu.model("host", OWN)).isEqualTo("host (" + OWN + ")");
        assertThat(GuestCpu.model("max,-avx512f", OWN)).isEqualTo("max,-avx512f (" + OWN + ")");
        assertThat(GuestCpu.model("EPYC-Genoa", OWN)).isEqualTo("EPYC-Genoa");
        assertThat(GuestCpu.model("", OWN)).isEqualTo("default");
    }

    @Test
    void itsNameIsTheOneThatTheKernelTells() {
        assertThat(
                        GuestCpu.name(
                                Stream.of(
                                        "processor\t: 0",
                                        "model\t\t: 17",
                                        "model name\t: " + OWN,
                                        "model name\t: another")))
                .isEqualTo(OWN);
        assertThat(GuestCpu.name(Stream.of("processor\t: 0"))).isEqualTo("of unknown name");
    }
}
