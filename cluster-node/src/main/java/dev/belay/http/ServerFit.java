package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.http.Problem.Code;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Whether there is a server for a VM that somebody wants to create. One that is only full is one:
 * the VM waits for room. For a server that does not exist it would wait for ever.
 */
record ServerFit(Admin admin) {
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
