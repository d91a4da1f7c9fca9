package dev.belay.lab;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "vm",
        mixinStandardHelpOptions = true,
        description = {
            "Creates a VM of the test guest and waits till it answers.",
            "It echoes lines on port 7 of its address.",
            "At level system also waits till it runs on two servers in lockstep."
        })
final class LabVmCommand implements Callable<Integer> {
    @Mixin private CommonOptions common = new CommonOptions();

    @Parameters(paramLabel = "VM", description = "The name of the VM.")
    private String vm = "";

    @Option(
            names = "--level",
            defaultValue = "restart",
            converter = Words.LevelWord.class,
            description = "restart or system (default: ${DEFAULT-VALUE}).")
    private String level = "";

    @Option(
            names = "--memory",
            paramLabel = "MIB",
            defaultValue = "128",
            converter = Words.CountWord.class,
            description = "Its memory in MiB (default: ${DEFAULT-VALUE}).")
    private int memory;

    @Option(
            names = "--disk",
            paramLabel = "KIND",
            converter = Words.DiskWord.class,
            description =
                    "ephemeral, shared (a file of 64 MiB that all servers see), mirrored (a file"
                            + " on each server that it runs on) or none (default: ephemeral;"
                            + " mirrored at level system).")
    private TestVm.@Nullable Disk disk;

    @Option(names = "--no-wait", description = "Do not wait till the guest answers.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "60",
            converter = Words.CountWord.class,
            description = "How long to wait for each of these (default: ${DEFAULT-VALUE}).")
    private int timeout;

    private boolean isForTwo() {
        return level.equalsIgnoreCase("system");
    }

    private TestVm.Disk usual() {
        return isForTwo() ? TestVm.Disk.MIRRORED : TestVm.Disk.EPHEMERAL;
    }

    @Override
    public Integer call() {
        var wanted =
                TestVm.of(vm)
                        .withLevel(level)
                        .withMemoryMib(memory)
                        .withDisk(disk == null ? usual() : disk)
                        .withAwait(noWait ? Duration.ZERO : Duration.ofSeconds(timeout));
        var lab = common.lab();
        var guest = lab.vm(wanted);
        if (isForTwo() && !noWait) {
            lab.awaitLockstep(guest.name(), Duration.ofSeconds(timeout));
        }
        return common.print(
                common.object().put("name", guest.name()).put("address", guest.address()),
                guest.name() + (noWait ? " will answer at " : " answers at ") + guest.address());
    }
}
