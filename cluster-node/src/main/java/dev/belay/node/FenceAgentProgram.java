package dev.belay.node;

import com.typesafe.config.Config;
import dev.belay.model.ServerName;
import dev.belay.server.FenceAgent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Runs programs of the standard fence-agents kind: options come as {@code key=value} lines on
 * standard input, the action among them, and the exit status answers. A server counts as off only
 * when {@code off} succeeded and {@code status} then said off (exit 2), as safety.md 15 asks.
 */
final class FenceAgentProgram implements FenceAgent {
    private static final int STATUS_OFF = 2;

    private record Agent(String program, Duration timeout, Map<String, String> options) {}

    private record Run(int status, String output) {}

    private final Map<ServerName, Agent> agents = new HashMap<>();

    /**
     * @param config the section {@code belay.fencing.agents}
     */
    FenceAgentProgram(Config config) {
        for (var name : config.root().keySet()) {
            var section = config.getConfig(name);
            var options = new TreeMap<String, String>();
            if (section.hasPath("options")) {
                section.getConfig("options")
                        .root()
                        .forEach((key, value) ->
                                options.put(key, String.valueOf(value.unwrapped())));
            }
            agents.put(
                    new ServerName(name),
                    new Agent(
                            section.getString("program"),
                            section.hasPath("timeout")
                                    ? section.getDuration("timeout")
                                    : Duration.ofSeconds(20),
                            options));
        }
    }

    @Override
    public boolean handles(ServerName server) {
        return agents.containsKey(server);
    }

    @Override
    public CompletableFuture<Result> off(ServerName server) {
        var agent = agents.get(server);
        if (agent == null) {
            return CompletableFuture.completedFuture(
                    new Result(false, "no fence agent is configured for " + server));
        }
        var result = new CompletableFuture<Result>();
        var thread =
                Thread.ofVirtual()
                        .name("fence-" + server)
                        .start(() -> result.complete(offThenStatus(agent)));
        result.whenComplete((_, _) -> {
            if (result.isCancelled()) {
                thread.interrupt();
            }
        });
        return result;
    }

    private static Result offThenStatus(Agent agent) {
        try {
            var off = run(agent, "off");
            if (off.status() != 0) {
                return new Result(
                        false,
                        "%s off failed with status %d: %s"
                                .formatted(agent.program(), off.status(), off.output()));
            }
            var status = run(agent, "status");
            return status.status() == STATUS_OFF
                    ? new Result(true, agent.program() + " switched it off and then saw it off")
                    : new Result(
                            false,
                            "%s said off, but its status then was %d, not off: %s"
                                    .formatted(agent.program(), status.status(), status.output()));
        } catch (IOException e) {
            return new Result(
                    false, "%s could not be run: %s".formatted(agent.program(), e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(false, agent.program() + " was called off");
        }
    }

    private static Run run(Agent agent, String action) throws IOException, InterruptedException {
        var process = new ProcessBuilder(agent.program()).redirectErrorStream(true).start();
        var output = new CompletableFuture<String>();
        Thread.ofVirtual()
                .start(() -> {
                    try (var stream = process.getInputStream()) {
                        output.complete(
                                new String(stream.readNBytes(4096), StandardCharsets.UTF_8)
                                        .strip());
                        stream.transferTo(java.io.OutputStream.nullOutputStream());
                    } catch (IOException e) {
                        output.complete("(no output: " + e.getMessage() + ")");
                    }
                });
        var lines = new StringBuilder();
        agent.options()
                .forEach((key, value) -> lines.append(key).append('=').append(value).append('\n'));
        lines.append("action=").append(action).append('\n');
        try (var stdin = process.getOutputStream()) {
            stdin.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        }
        try {
            if (!process.waitFor(agent.timeout().toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(
                        "no answer to '%s' within %d s, killed"
                                .formatted(action, agent.timeout().toSeconds()));
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return new Run(
                process.exitValue(), output.completeOnTimeout("", 1, TimeUnit.SECONDS).join());
    }
}
