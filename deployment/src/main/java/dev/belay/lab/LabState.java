package dev.belay.lab;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.belay.lab.LabPlan.Role;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * What a lab's file {@code lab.json} says. Whether something runs or a cable is cut is not in it:
 * that is read from the kernel each time; nor whether a node's power is on, which a file of the
 * node's own says.
 *
 * @param number which networks are its own
 * @param phase how far {@code up} or {@code down} got
 * @param bound whether the lab is to go when its owner is gone
 * @param ownerPid the process that brought it up
 * @param ownerStarted when that process started (ms), as process ids come again
 * @param program the command of a node, its configuration file to be added as last word
 * @param environment what the nodes get in their environment
 * @param settings more lines for the nodes' configuration files
 * @param fence how the servers' fence agents behave
 * @param guests addresses given to VMs, by VM
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record LabState(
        String name,
        int number,
        Phase phase,
        boolean bound,
        long ownerPid,
        long ownerStarted,
        int memoryMib,
        List<String> program,
        Map<String, String> environment,
        String settings,
        Fence fence,
        List<Node> nodes,
        Map<String, String> guests) {

    enum Phase {
        /** Being built, or its building was cut short. */
        STARTING,
        UP,
        /** Could not be brought up; left for a look at its logs. */
        FAILED,
        /** Being removed, or its removal was cut short. */
        STOPPING
    }

    /**
     * One node.
     *
     * @param boots how many times it was powered on
     * @param bootId of the boot that runs, or ran last
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Node(
            String name,
            Role role,
            boolean voter,
            int index,
            String clusterAddress,
            String clientAddress,
            int boots,
            String bootId) {

        /** Powered on once more. */
        Node booted(String newBootId) {
            return new Node(
                    name, role, voter, index, clusterAddress, clientAddress, boots + 1, newBootId);
        }

        /** Where its HTTP API is, whether or not it answers; the command line finds it here. */
        @JsonProperty(access = JsonProperty.Access.READ_ONLY)
        URI api() {
            return URI.create("http://" + clientAddress + ":" + LabPlan.API_PORT);
        }
    }

    LabState {
        program = List.copyOf(program);
        environment = Map.copyOf(environment);
        nodes = List.copyOf(nodes);
        guests = Map.copyOf(guests);
    }

    Node node(String wanted) {
        return nodes.stream()
                .filter(node -> node.name.equals(wanted))
                .findFirst()
                .orElseThrow(() ->
                        new LabException(
                                "lab "
                                        + name
                                        + " has no node '"
                                        + wanted
                                        + "'; it has "
                                        + String.join(
                                                ", ", nodes.stream().map(Node::name).toList())));
    }

    LabState in(Phase next) {
        return copy(next, nodes, guests);
    }

    LabState with(String wanted, UnaryOperator<Node> change) {
        var changed =
                nodes.stream()
                        .map(node -> node.name.equals(wanted) ? change.apply(node) : node)
                        .toList();
        return copy(phase, changed, guests);
    }

    LabState withGuest(String vm, String address) {
        var all = new TreeMap<>(guests);
        all.put(vm, address);
        return copy(phase, nodes, all);
    }

    /** All that ever changes is these three. */
    private LabState copy(Phase newPhase, List<Node> newNodes, Map<String, String> newGuests) {
        return new LabState(
                name,
                number,
                newPhase,
                bound,
                ownerPid,
                ownerStarted,
                memoryMib,
                program,
                environment,
                settings,
                fence,
                newNodes,
                newGuests);
    }

    /** Whether the process that brought the lab up is still there. */
    boolean isOwnerAlive() {
        return ProcessHandle.of(ownerPid)
                .filter(ProcessHandle::isAlive)
                .filter(owner -> started(owner) == ownerStarted)
                .isPresent();
    }

    static long started(ProcessHandle process) {
        return process.info().startInstant().map(java.time.Instant::toEpochMilli).orElse(0L);
    }
}
