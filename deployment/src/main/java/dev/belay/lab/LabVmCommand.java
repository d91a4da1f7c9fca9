package dev.belay.lab;

import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "vm",
        mixinStandardHelpOptions = true,
        description = {
            "Creates a VM of the test guest and waits till it answers.",
            "It echoes lines on port 7 of its address."
        })
final class LabVmCommand implements Callable<Integer> {
    @Mixin private CommonOptions common = new CommonOptions();

    @Parameters(paramLabel = "VM", description = "The name of the VM.")
    private String vm = "";

    @Option(
            names = "--level",
            defaultValue = "RESTART",
            description = "RESTART, COMPONENT or SYSTEM (default: ${DEFAULT-VALUE}).")
    private String level = "";

    @Option(
            names = "--memory",
            paramLabel = "MIB",
            defaultValue = "128",
            description = "Its memory in MiB (default: ${DEFAULT-VALUE}).")
    private int memory;

    @Option(
            names = "--disk",
            paramLabel = "KIND",
            defaultValue = "ephemeral",
            converter = Words.DiskWord.class,
            description =
                    "ephemeral, shared (a file of 64 MiB that all servers see) or none"
                            + " (default: ${DEFAULT-VALUE}).")
    private TestVm.Disk disk = TestVm.Disk.EPHEMERAL;

    @Option(names = "--no-wait", description = "Do not wait till the guest answers.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "How long to wait (default: ${DEFAULT-VALUE}).")
    private int timeout;

    @Override
    public Integer call() {
        var wanted =
                TestVm.of(vm)
                        .withLevel(level)
                        .withMemoryMib(memory)
                        .withDisk(disk)
                        .withAwait(noWait ? Duration.ZERO : Duration.ofSeconds(timeout));
        var guest = common.lab().vm(wanted);
        return common.print(
                common.object().put("name", guest.name()).put("address", guest.address()),
                guest.name() + (noWait ? " will answer at " : " answers at ") + guest.address());
    }
}
