package dev.belay.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.model.ServerName;
import dev.belay.server.FenceAgent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of the fence-agents kind: what they are told, and what counts as off. */
class FenceAgentProgramTest {
    private static final ServerName ALPHA = new ServerName("alpha");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void anAgentThatSwitchesOffAndThenSeesOffIsBelieved() throws Exception {
        var result = run("case $action in off) exit 0;; status) exit 2;; esac", "5s");

        assertThat(result.off()).isTrue();
        assertThat(Files.readString(folder.resolve("told")))
                .contains("ip=10.0.0.9\n", "username=admin\n", "action=off\n", "action=status\n");
    }

    @Test
    void anAgentThatSaysOffWhileTheServerIsOnIsNotBelieved() throws Exception {
        var result = run("exit 0", "5s");

        assertThat(result.off()).isFalse();
        assertThat(result.detail()).contains("said off", "status then was 0");
    }

    @Test
    void anAgentThatFailsSaysWhy() throws Exception {
        var result = run("echo 'Login failed' >&2; exit 1", "5s");

        assertThat(result.off()).isFalse();
        assertThat(result.detail()).contains("status 1", "Login failed");
    }

    @Test
    void anAgentThatHangsIsKilled() throws Exception {
        var result = run("sleep 600", "1s");

        assertThat(result.off()).isFalse();
        assertThat(result.detail()).contains("no answer to 'off' within 1 s");
    }

    @Test
    void anAgentThatIsCalledOffIsKilledBeforeItActs() throws Exception {
        var script = script("echo $$ >\"%s\"; exec sleep 600".formatted(folder.resolve("pid")));
        var result = agent(script.toString(), "600s").off(ALPHA);
        Awaitility.await().until(() -> Files.exists(folder.resolve("pid")) && !pid().isEmpty());
        var process = ProcessHandle.of(Long.parseLong(pid())).orElseThrow();

        result.cancel(true);

        process.onExit().get(30, TimeUnit.SECONDS);
        assertThat(process.isAlive()).isFalse();
    }

    private String pid() throws IOException {
        return Files.readString(folder.resolve("pid")).strip();
    }

    @Test
    void aMissingProgramIsNamed() throws Exception {
        var result =
                agent("/no/such/fence_agent", "1s")
                        .off(ALPHA)
                        .toCompletableFuture()
                        .get(30, TimeUnit.SECONDS);

        assertThat(result.off()).isFalse();
        assertThat(result.detail()).contains("/no/such/fence_agent", "could not be run");
    }

    @Test
    void onlyConfiguredServersHaveOne() {
        var agents = agent("/bin/true", "1s");

        assertThat(agents.handles(ALPHA)).isTrue();
        assertThat(agents.handles(new ServerName("bravo"))).isFalse();
    }

    private FenceAgent.Result run(String body, String timeout) throws Exception {
        return agent(script(body).toString(), timeout)
                .off(ALPHA)
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
    }

    private Path script(String body) throws IOException {
        var script = folder.resolve("fence_test");
        Files.writeString(
                script,
                """
                #!/bin/sh
                while IFS='=' read -r key value; do
                  echo "$key=$value" >>"%s"
                  [ "$key" = action ] && action=$value
                done
                %s
                """
                        .formatted(folder.resolve("told"), body));
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    }

    private static FenceAgentProgram agent(String program, String timeout) {
        return new FenceAgentProgram(
                ConfigFactory.parseString(
                        """
                        alpha { program = "%s", timeout = %s, options { ip = 10.0.0.9, username = admin } }
                        """
                                .formatted(program, timeout)));
    }
}
