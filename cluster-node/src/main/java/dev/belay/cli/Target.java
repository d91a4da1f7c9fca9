package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.cli.CliCommands.Environment;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The options that every command has: whom to ask, and how to print. */
final class Target {
    static final int FAILED = 1;
    private static final String DEFAULT_API = "http://127.0.0.1:7350";
    private static final String DEFAULT_LAB_HOME = "/var/lib/belay/lab";

    private final Environment environment;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--api",
            paramLabel = "<url>",
            scope = ScopeType.INHERIT,
            description =
                    "A node's API; any node will do. Default: $BELAY_API, else " + DEFAULT_API)
    private Optional<String> api = Optional.empty();

    @Option(
            names = "--lab",
            paramLabel = "<name>",
            scope = ScopeType.INHERIT,
            description = "Ask the nodes of this lab, in turn, until one answers")
    private Optional<String> lab = Optional.empty();

    @Option(
            names = "--json",
            scope = ScopeType.INHERIT,
            description = "Print the API's JSON, unchanged")
    private boolean json;

    Target(Environment environment) {
        this.environment = environment;
    }

    /** What a command does with the cluster's answer. */
    interface Work {
        void run(Session session) throws IOException, InterruptedException;
    }

    /** Runs {@code work}; what goes wrong is told on stderr. */
    int run(Work work) {
        var out = spec.commandLine().getOut();
        var err = spec.commandLine().getErr();
        try (var client = new ApiClient(nodes())) {
            work.run(new Session(client, json, out, err));
            return 0;
        } catch (CliException e) {
            tell(err, String.valueOf(e.getMessage()), e.hint());
        } catch (IOException e) {
            tell(
                    err,
                    "The connection failed: " + e.getMessage(),
                    "Try again; another node can be named with --api.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            tell(err, "Interrupted.", "What was asked for may still be carried out.");
        } finally {
            out.flush();
            err.flush();
        }
        return FAILED;
    }

    private static void tell(PrintWriter err, String message, String hint) {
        err.println("belay: " + message);
        if (!hint.isBlank()) {
            err.println("       " + hint);
        }
    }

    private List<URI> nodes() {
        if (api.isPresent() && lab.isPresent()) {
            throw new ParameterException(
                    spec.commandLine(), "Expected either --api or --lab, but got both");
        }
        return lab.isPresent()
                ? labNodes(lab.get())
                : List.of(uri(api.or(() -> environment.get("BELAY_API")).orElse(DEFAULT_API)));
    }

    private URI uri(String text) {
        try {
            var uri = URI.create(text);
            if (List.of("http", "https").contains(String.valueOf(uri.getScheme()))
                    && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Told below.
        }
        throw new ParameterException(
                spec.commandLine(),
                "Expected the API's address like http://10.0.0.1:7350, but got '%s'"
                        .formatted(text));
    }

    private List<URI> labNodes(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]*")) {
            throw new ParameterException(
                    spec.commandLine(), "Expected a lab's name, but got '%s'".formatted(name));
        }
        var home = environment.get("BELAY_LAB_HOME").orElse(DEFAULT_LAB_HOME);
        var file = Path.of(home, name, "lab.json");
        var found = new ArrayList<URI>();
        try {
            for (JsonNode node :
                    new ObjectMapper().readTree(Files.readString(file)).path("nodes")) {
                var address = node.path("api").asText();
                if (!address.isEmpty()) {
                    found.add(uri(address.contains("://") ? address : "http://" + address));
                }
            }
        } catch (IOException e) {
            throw new CliException(
                    "There is no lab '%s': %s cannot be read.".formatted(name, file),
                    "Start one first, or set BELAY_LAB_HOME to the folder that holds it.");
        }
        if (found.isEmpty()) {
            throw new CliException(
                    "Lab '%s' names no node with an API in %s.".formatted(name, file),
                    "Start the lab anew.");
        }
        return found;
    }
}
