package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.time.Instant;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What all subcommands take. */
final class CommonOptions {
    static final String DEFAULT_NAME = "lab";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = {"--name", "--lab"},
            paramLabel = "LAB",
            defaultValue = DEFAULT_NAME,
            description = "Which lab (default: ${DEFAULT-VALUE}).")
    String name = DEFAULT_NAME;

    @Option(names = "--json", description = "Print the outcome as JSON.")
    private boolean json;

    final Elapsed progress = new Elapsed(System.err);

    Lab lab() {
        return Lab.open(name).saying(progress);
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    ObjectNode object() {
        return LabStore.JSON.createObjectNode();
    }

    int print(JsonNode json, String text) {
        try {
            out().println(this.json ? LabStore.JSON.writeValueAsString(json) : text);
            out().flush();
            return 0;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The usual outcome of a fault: what was done to which node. */
    int done(String node, String action, String text) {
        return print(object().put("name", name).put("node", node).put("action", action), text);
    }

    /** What a fault did, and when. */
    int done(String node, String action, String text, Instant at) {
        return print(
                object().put("name", name)
                        .put("node", node)
                        .put("action", action)
                        .put("killedAt", at.toEpochMilli()),
                text + " at " + at);
    }

    /** The node that a subcommand is about. */
    static final class Node {
        @Parameters(paramLabel = "NODE", description = "A node, as `belay lab status` names it.")
        String name = "";
    }
}
