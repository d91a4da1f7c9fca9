package dev.belay.cli;

import dev.belay.cli.ApiClient.Answer;
import dev.belay.cli.ApiClient.Content;
import dev.belay.cli.CliCommands.Environment;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code belay vm …}. */
@Command(
        name = "vm",
        description = "Create, show, start, stop and delete VMs",
        mixinStandardHelpOptions = true)
final class VmCommand {
    private static final String NAME = "The VM's name";

    /** Its guest runs, whether or not it runs on two servers yet. */
    private static final Set<String> RUNS = Set.of("Running", "Raising", "Lockstep", "GoingSolo");

    private static final Set<String> STOPPED = Set.of("Stopped");

    /** It runs where it shall; whether a second server has it again is not waited for. */
    private static final Set<String> MOVED =
            Set.of("Running", "Raising", "Lockstep", "Stopped", "Stopping");

    enum Wished {
        // One that is stopped, or is being, gets no further: its level counts from its next start.
        RESTART(Set.of("Running", "Stopped", "Stopping")),
        SYSTEM(Set.of("Lockstep", "Stopped", "Stopping"));

        private final Set<String> reached;

        Wished(Set<String> reached) {
            this.reached = reached;
        }

        static final class Word implements ITypeConverter<Wished> {
            @Override
            public Wished convert(String word) {
                return Arrays.stream(values())
                        .filter(level -> level.name().equalsIgnoreCase(word))
                        .findFirst()
                        .orElseThrow(() ->
                                new TypeConversionException(
                                        word.equalsIgnoreCase("component")
                                                ? "level component is not built yet: choose restart or system"
                                                : "expected restart or system, but got '%s'"
                                                        .formatted(word)));
            }
        }
    }

    @Mixin private final Target target;

    VmCommand(Environment environment) {
        target = new Target(environment);
    }

    /** Whether to wait for the wished state, and how long. */
    static final class Waiting {
        @Option(names = "--wait", description = "Wait until it is done, telling progress on stderr")
        boolean wait;

        @Option(
                names = "--timeout",
                paramLabel = "<seconds>",
                defaultValue = "120",
                converter = Seconds.class,
                description = "Wait no longer than this; default: ${DEFAULT-VALUE}")
        int seconds;

        Answer until(Set<String> states, Session session, String name, Answer answer)
                throws InterruptedException {
            return until(states, _ -> true, session, name, answer);
        }

        private Answer until(
                Set<String> states,
                Predicate<Answer> also,
                Session session,
                String name,
                Answer answer)
                throws InterruptedException {
            return wait
                    ? new Progress(session, name, Duration.ofSeconds(seconds)).until(states, also)
                    : answer;
        }
    }

    @Command(
            description = "Create a VM from a specification in YAML or JSON, and start it",
            mixinStandardHelpOptions = true)
    int create(
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "<file>",
                            description = "The specification; '-' reads it from stdin")
                    String file,
            @Option(names = "--no-start", description = "Leave it stopped") boolean noStart,
            @Mixin Waiting waiting) {
        return target.run(session -> {
            var answer = session.client().post("/vms?start=" + !noStart, content(file));
            var name = answer.body().path("name").asText();
            tell(session, waiting.until(noStart ? STOPPED : RUNS, session, name, answer));
        });
    }

    @Command(description = "List all VMs", mixinStandardHelpOptions = true)
    int list() {
        return target.run(session -> {
            var answer = session.client().get("/vms");
            session.print(
                    answer,
                    () -> {
                        if (answer.body().isEmpty()) {
                            session.out()
                                    .println(
                                            "There is no VM yet. Create one: belay vm create -f <file>");
                            return;
                        }
                        Table.print(
                                session.out(),
                                answer.body(),
                                "name",
                                "level",
                                "desired",
                                "state",
                                "protection",
                                "primary",
                                "secondary",
                                "address",
                                "failovers");
                    });
        });
    }

    @Command(
            description = "Show one VM with all that is known of it",
            mixinStandardHelpOptions = true)
    int show(@Parameters(paramLabel = "<name>", description = NAME) String name) {
        return target.run(session -> {
            var answer = session.client().get(path(name));
            session.print(answer, () -> Table.printFields(session.out(), answer.body()));
        });
    }

    @Command(description = "Start a VM", mixinStandardHelpOptions = true)
    int start(
            @Parameters(paramLabel = "<name>", description = NAME) String name,
            @Mixin Waiting waiting) {
        return target.run(session -> {
            var answer = session.client().change("POST", path(name) + "/start");
            tell(session, waiting.until(RUNS, session, name, answer));
        });
    }

    @Command(description = "Shut a VM down", mixinStandardHelpOptions = true)
    int stop(
            @Parameters(paramLabel = "<name>", description = NAME) String name,
            @Option(names = "--kill", description = "At once, without asking the guest")
                    boolean kill,
            @Mixin Waiting waiting) {
        return target.run(session -> {
            var answer = session.client().change("POST", path(name) + "/stop?kill=" + kill);
            tell(session, waiting.until(STOPPED, session, name, answer));
        });
    }

    @Command(
            description = {
                "Change how far a VM is protected, while it runs and its connections go on",
                "restart: it starts again when its server fails. system: it runs on two servers, and"
                        + " goes on when one fails. At that level its IPv6 is dropped, and so is"
                        + " all that has a VLAN tag: lockstep compares only IPv4. Connections that"
                        + " are opened just before a failover survive the next one, too, if the"
                        + " guest has the sysctl net.ipv4.tcp_syncookies=2; on those that it opens"
                        + " itself its first words wait for a checkpoint, and are said on a new one"
                        + " if a failover comes first."
            },
            mixinStandardHelpOptions = true)
    int protect(
            @Parameters(paramLabel = "<name>", description = NAME) String name,
            @Option(
                            names = "--level",
                            required = true,
                            paramLabel = "<level>",
                            converter = Wished.Word.class,
                            description = "restart or system")
                    Wished level,
            @Mixin Waiting waiting) {
        return target.run(session -> {
            var answer =
                    session.client()
                            .change(
                                    "POST",
                                    path(name)
                                            + "/protect?level="
                                            + level.name().toLowerCase(Locale.ROOT));
            tell(session, waiting.until(level.reached, session, name, answer));
        });
    }

    @Command(
            description =
                    "Let the second server of a VM at level system go on with it, and end the copy"
                            + " on the first",
            mixinStandardHelpOptions = true)
    int switchover(
            @Parameters(paramLabel = "<name>", description = NAME) String name,
            @Mixin Waiting waiting) {
        return target.run(session -> {
            var from = session.client().find(path(name)).map(VmCommand::primary);
            var answer = session.client().change("POST", path(name) + "/switchover");
            // Whichever node is asked may not have read yet what was decided.
            Predicate<Answer> moved = now -> !from.equals(Optional.of(primary(now)));
            tell(session, waiting.until(MOVED, moved, session, name, answer));
        });
    }

    private static String primary(Answer answer) {
        return answer.body().path("primary").asText();
    }

    @Command(description = "Delete a stopped VM; its disks stay", mixinStandardHelpOptions = true)
    int delete(
            @Parameters(paramLabel = "<name>", description = NAME) String name,
            @Option(names = "--force", description = "Also while it runs: kills it first")
                    boolean force) {
        return target.run(session ->
                tell(session, session.client().change("DELETE", path(name) + "?force=" + force)));
    }

    @Command(
            description = "Show a VM's failovers: what happened, where, when, and how long it took",
            mixinStandardHelpOptions = true)
    int failovers(@Parameters(paramLabel = "<name>", description = NAME) String name) {
        return target.run(session -> {
            var answer = session.client().get(path(name) + "/failovers");
            session.print(answer, () -> Timeline.print(session.out(), name, answer.body()));
        });
    }

    private static void tell(Session session, Answer answer) {
        session.print(
                answer,
                () ->
                        session.out()
                                .println(
                                        "%s: %s. %s"
                                                .formatted(
                                                        answer.body().path("name").asText(),
                                                        answer.body().path("state").asText(),
                                                        answer.body()
                                                                .path("explanation")
                                                                .asText())));
    }

    static String path(String name) {
        if (name.isBlank()) {
            throw new CliException("Expected a VM's name, but got nothing.", "See: belay vm list");
        }
        return "/vms/" + URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static Content content(String file) throws IOException {
        // JSON is YAML too; only its errors are told better when it is read as JSON.
        var type = file.endsWith(".json") ? "application/json" : "application/yaml";
        if (file.equals("-")) {
            return new Content(type, System.in.readAllBytes());
        }
        try {
            return new Content(type, Files.readAllBytes(Path.of(file)));
        } catch (NoSuchFileException e) {
            throw new CliException(
                    "There is no file " + file + ".",
                    "docs/cli.md has an example of a specification.");
        } catch (IOException e) {
            throw new CliException(
                    "File %s cannot be read: %s.".formatted(file, e.getMessage()),
                    "Name a file with a specification; docs/cli.md has an example.");
        }
    }
}
