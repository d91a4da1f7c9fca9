package dev.belay.lab;

import dev.belay.lab.Lab.Guest;
import dev.belay.lab.Lab.Qemu;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The VMs of a lab: made of the test guest, asked over the client network, seen as processes. */
final class LabGuests {
    private static final int GUEST_PORT = 9;
    private static final long LOOK_MILLIS = 100;
    private static final long REPORT_SECONDS = 5;

    private final LabHandle lab;

    LabGuests(LabHandle lab) {
        this.lab = lab;
    }

    List<Qemu> qemus(String vm) {
        return qemus(vm, _ -> true);
    }

    List<Qemu> runningQemus(String vm) {
        return qemus(vm, process -> !process.isStopped());
    }

    private List<Qemu> qemus(String vm, Predicate<NodeProcesses.Running> concerned) {
        var mark = " -name guest=" + vm + ",";
        var found = new ArrayList<Qemu>();
        for (var node : lab.servers()) {
            lab.processes(node).all().stream()
                    .filter(process -> isQemu(process.commandLine()))
                    .filter(process -> process.commandLine().contains(mark))
                    .filter(concerned)
                    .max(
                            Comparator.comparingLong(NodeProcesses.Running::startedTicks)
                                    .thenComparingLong(NodeProcesses.Running::pid))
                    .ifPresent(process ->
                            found.add(new Qemu(node, process.pid(), process.startedTicks())));
        }
        return found;
    }

    /** A leash is started with the whole command of its QEMU, but is none. */
    private static boolean isQemu(String commandLine) {
        var first = commandLine.split(" ", 2)[0];
        return commandLine.contains("qemu-system") && !first.endsWith("leash");
    }

    /**
     * Creates a VM of the test guest and, unless told otherwise, waits till it answers. To level
     * SYSTEM it is raised afterwards: under emulation QEMU does not notice when a checkpoint
     * changes code that a secondary has already translated, and a guest that boots changes its own.
     */
    Guest vm(TestVm vm) {
        return vm.level().equals("SYSTEM") && !vm.await().isZero()
                ? raised(create(vm.withLevel("RESTART")))
                : create(vm);
    }

    private Guest raised(Guest guest) {
        LabApi.post(
                lab.apis(),
                "/api/v1/vms/" + guest.name() + "/protect?level=system",
                LabStore.JSON.createObjectNode());
        lab.progress().say("VM " + guest.name() + " is raised to level SYSTEM");
        return guest;
    }

    private Guest create(TestVm vm) {
        var wanted = vm.name();
        var state =
                lab.store()
                        .update(
                                lab.name(),
                                current ->
                                        current.guests().containsKey(wanted)
                                                ? current
                                                : current.withGuest(
                                                        wanted,
                                                        LabPlan.freeGuestAddress(
                                                                current.number(),
                                                                current.guests().values())));
        var address = String.valueOf(state.guests().get(wanted));
        var spec = vm.spec(state, address, lab.sharedFolder());
        vm.makeDisk(lab.sharedFolder());
        LabApi.post(lab.apis(), "/api/v1/vms", spec);
        lab.progress().say("VM " + wanted + " is created; its address is " + address);
        if (!vm.await().isZero()) {
            awaitGuest(address, vm.await());
        }
        return new Guest(wanted, address);
    }

    void awaitLockstep(String vm, Duration patience) {
        var deadline = System.nanoTime() + patience.toNanos();
        var said = "";
        while (true) {
            var now = LabApi.get(lab.apis(), "/api/v1/vms/" + vm);
            var how = now.map(view -> view.path("explanation").asText()).orElse("it is not there");
            if (!how.equals(said)) {
                said = how;
                lab.progress().say("VM " + vm + ": " + how);
            }
            if (now.filter(view -> view.path("state").asText().equals("Lockstep")).isPresent()) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "VM %s did not get into lockstep within %d s: %s It is tried on; `belay vm show %s --lab %s` says how far it is"
                                .formatted(vm, patience.toSeconds(), how, vm, lab.name()));
            }
            Shell.pause(4 * LOOK_MILLIS);
        }
    }

    /** Waits till the guest at an address answers on port 9, and returns what it says. */
    String awaitGuest(String address, Duration patience) {
        var began = System.nanoTime();
        var reported = began;
        while (true) {
            var answer = ask(address);
            if (answer.isPresent()) {
                lab.progress().say("the guest at " + address + " answers: " + answer.get());
                return answer.get();
            }
            var now = System.nanoTime();
            if (now - began > patience.toNanos()) {
                throw new LabException(
                        "the guest at "
                                + address
                                + " did not answer on port "
                                + GUEST_PORT
                                + " within "
                                + patience.toSeconds()
                                + " s; `belay vm list --lab "
                                + lab.name()
                                + "` says how Belay sees it");
            }
            if (now - reported > TimeUnit.SECONDS.toNanos(REPORT_SECONDS)) {
                reported = now;
                lab.progress().say("waiting for the guest at " + address);
            }
            Shell.pause(LOOK_MILLIS);
        }
    }

    private static Optional<String> ask(String address) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, GUEST_PORT), 500);
            socket.setSoTimeout(1000);
            socket.getOutputStream().write('\n');
            var answer = socket.getInputStream().readNBytes(1);
            if (answer.length == 0) {
                return Optional.empty();
            }
            var rest = new ByteArrayOutputStream();
            rest.writeBytes(answer);
            for (int next = answer[0]; next != '\n' && rest.size() < 200; ) {
                next = socket.getInputStream().read();
                if (next < 0) {
                    break;
                }
                rest.write(next);
            }
            return Optional.of(rest.toString(StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
