package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.NodeInfo;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.http.Problem.Code;
import dev.belay.http.SpecParser.Fault;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether there is a server for a VM that somebody wants to create. One that is only full is one:
 * the VM waits for room. For a server that does not exist it would wait for ever.
 */
record ServerFit(Admin admin) {
    /** They may be added to the cluster's configuration first; nobody waits for a misspelt one. */
    void refuseUnknownNames(VmSpec spec) {
        var known =
                admin.nodes().stream()
                        .filter(node -> node.role().equals("server"))
                        .map(NodeInfo::name)
                        .toList();
        var wish = spec.placement();
        var faults = new ArrayList<Fault>();
        faults.addAll(unknown("only", wish.only(), known));
        faults.addAll(unknown("prefer", wish.prefer(), known));
        faults.addAll(unknown("avoid", wish.avoid(), known));
        if (!faults.isEmpty()) {
            throw RequestBody.invalid(Code.INVALID_SPEC, faults);
        }
    }

    private static List<Fault> unknown(
            String field, List<ServerName> named, List<ServerName> known) {
        var servers = known.stream().map(ServerName::value).sorted().toList();
        return IntStream.range(0, named.size())
                .filter(i -> !known.contains(named.get(i)))
                .mapToObj(i ->
                        new Fault(
                                "placement.%s[%d]".formatted(field, i),
                                "expected one of the cluster's servers (%s), but got '%s'"
                                        .formatted(String.join(", ", servers), named.get(i))))
                .toList();
    }

    /**
     * @param answers what each server that answered has against it
     */
    void refuseIfNoneFits(VmSpec spec, Map<ServerName, List<String>> answers) {
        var servers = obstacles(spec, answers);
        // No server answers: nobody knows of an obstacle, and the VM waits for its first server.
        if (servers.isEmpty() || servers.values().stream().anyMatch(List::isEmpty)) {
            return;
        }
        // A VM of this name may be what takes the room; then its name is the news.
        if (admin.vms().stream().anyMatch(vm -> vm.vm().spec().name().equals(spec.name()))) {
            throw new ProblemException(
                    Code.NAME_TAKEN,
                    "There is a VM named '%s' already.".formatted(spec.name()),
                    "Delete it first or choose another name.");
        }
        // Ten servers that lack the same bridge are told in one sentence.
        var alike = new LinkedHashMap<List<String>, List<String>>();
        servers.forEach(
                (server, why) -> alike.computeIfAbsent(why, _ -> new ArrayList<>()).add(server));
        var told =
                alike.entrySet().stream()
                        .map(same ->
                                String.join(", ", same.getValue())
                                        + ": "
                                        + same.getKey().stream()
                                                .map(Carrier::sentence)
                                                .collect(Collectors.joining(" ")))
                        .collect(Collectors.joining(" "));
        throw new ProblemException(
                new Problem(
                        Code.NO_SERVER_FITS,
                        "Expected at least one server that can run '%s', but of those %s none can. %s Nothing was changed."
                                .formatted(
                                        spec.name(),
                                        spec.placement().only().isEmpty()
                                                ? "that answer"
                                                : "in placement.only that answer",
                                        told),
                        "Remove the obstacle on one server (put the image there, make the bridge), or change the specification.",
                        Map.of("servers", servers)));
    }

    private TreeMap<String, List<String>> obstacles(
            VmSpec spec, Map<ServerName, List<String>> answers) {
        var view = admin.view();
        var obstacles = new TreeMap<String, List<String>>();
        answers.forEach((server, said) -> {
            if (spec.placement().allows(server)) {
                var all = new ArrayList<>(said);
                view.server(server).flatMap(there -> tooSmall(spec, there)).ifPresent(all::add);
                obstacles.put(server.value(), List.copyOf(all));
            }
        });
        return obstacles;
    }

    private static Optional<String> tooSmall(VmSpec spec, ServerView server) {
        return server.memoryMiB() < spec.memoryMiB()
                ? Optional.of(
                        "it has %d MiB for VMs in all, and %d are needed"
                                .formatted(server.memoryMiB(), spec.memoryMiB()))
                : Optional.empty();
    }
}
