package dev.belay.http;

import dev.belay.admin.Admin;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.settings.ServerSettings;

/** The open port. It closes with its actor system, or by {@link #stop}. */
public final class HttpServer {
    /** What is still being answered may take this long when the port closes. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final ServerBinding binding;

    private HttpServer(ServerBinding binding) {
        this.binding = binding;
    }

    /**
     * @param address what to listen on; {@code 0.0.0.0} for all
     * @param port 0 for any free one
     */
    public static CompletionStage<HttpServer> start(
            ActorSystem<?> system, String address, int port, Admin admin) {
        return start(system, address, port, admin, Limits.DEFAULT);
    }

    public static CompletionStage<HttpServer> start(
            ActorSystem<?> system, String address, int port, Admin admin, Limits limits) {
        return Http.get(system)
                .newServerAt(address, port)
                .withSettings(settings(system))
                .bind(HttpApi.create(admin, limits))
                .thenApply(binding ->
                        new HttpServer(binding.addToCoordinatedShutdown(LAST_WORDS, system)))
                .exceptionallyCompose(thrown ->
                        CompletableFuture.failedFuture(
                                new IllegalStateException(
                                        "Expected to listen on %s port %d for the API, but: %s"
                                                .formatted(address, port, Faults.told(thrown)),
                                        thrown)));
    }

    public InetSocketAddress address() {
        return binding.localAddress();
    }

    public URI uri() {
        return URI.create("http://" + address().getHostString() + ":" + address().getPort());
    }

    public CompletionStage<Void> stop() {
        return binding.terminate(LAST_WORDS).thenAccept(_ -> {});
    }

    private static ServerSettings settings(ActorSystem<?> system) {
        return ServerSettings.create(Adapter.toClassic(system))
                .withServerHeader(Optional.empty())
                .withTransparentHeadRequests(true)
                .withParsingErrorHandler(MalformedRequests.class.getName());
    }
}
