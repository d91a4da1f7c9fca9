package dev.belay.http;

import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import dev.belay.admin.Admin;
import dev.belay.http.Problem.Code;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Allow;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.ExceptionHandler;
import org.apache.pekko.http.javadsl.server.MethodRejection;
import org.apache.pekko.http.javadsl.server.Rejection;
import org.apache.pekko.http.javadsl.server.RejectionHandler;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.server.UnacceptedResponseContentTypeRejection;

/** The paths of {@code /api/v1}, and what every one of them does with a wrong request. */
public final class HttpApi extends AllDirectives {
    private final VmResource vms;
    private final ServerResource servers;
    private final EventResource events;
    private final HealthResource health;
    private final DisarmResource disarming;
    private final MetricsResource metrics;

    private HttpApi(Admin admin, Limits limits) {
        vms = new VmResource(admin, limits.patience());
        servers = new ServerResource(admin, limits.patience());
        events = new EventResource(admin.feed(), limits);
        health = new HealthResource(admin);
        disarming = new DisarmResource(admin, limits.patience());
        metrics = new MetricsResource(admin);
    }

    public static Route create(Admin admin) {
        return create(admin, Limits.DEFAULT);
    }

    public static Route create(Admin admin, Limits limits) {
        var api = new HttpApi(admin, limits);
        return api.withBody(api::paths).seal(api.rejections(), api.exceptions());
    }

    private Route paths() {
        return pathPrefix(
                segment("api").slash("v1"),
                () ->
                        concat(
                                vmPaths(),
                                serverPaths(),
                                armPaths(),
                                eventPaths(),
                                healthPaths(),
                                path("metrics", () -> get(() -> answer(metrics::show)))));
    }

    private Route vmPaths() {
        return pathPrefix(
                "vms",
                () ->
                        concat(
                                pathEnd(() ->
                                        concat(
                                                get(() -> answer(vms::list)),
                                                post(() -> answer(vms::create)))),
                                pathPrefix(segment(), this::vmPaths)));
    }

    private Route vmPaths(String vm) {
        return concat(
                pathEnd(() ->
                        concat(
                                get(() -> answer(request -> vms.show(vm, request))),
                                delete(() -> answer(request -> vms.delete(vm, request))))),
                path("start", () -> post(() -> answer(request -> vms.start(vm, request)))),
                path("stop", () -> post(() -> answer(request -> vms.stop(vm, request)))),
                path("protect", () -> post(() -> answer(request -> vms.protect(vm, request)))),
                path(
                        "switchover",
                        () -> post(() -> answer(request -> vms.switchover(vm, request)))),
                path("failovers", () -> get(() -> answer(request -> vms.failovers(vm, request)))));
    }

    private Route serverPaths() {
        return pathPrefix(
                "servers",
                () ->
                        concat(
                                pathEnd(() -> get(() -> answer(servers::list))),
                                pathPrefix(segment(), this::serverPaths)));
    }

    private Route serverPaths(String name) {
        return concat(
                pathEnd(() -> get(() -> answer(request -> servers.show(name, request)))),
                path("release", () -> post(() -> answer(r -> servers.release(name, r)))),
                path("maintenance", () -> post(() -> answer(r -> servers.maintain(name, r)))),
                path("activate", () -> post(() -> answer(r -> servers.activate(name, r)))),
                path("confirm-off", () -> post(() -> answer(r -> servers.confirmOff(name, r)))),
                path("readmit", () -> post(() -> answer(r -> servers.readmit(name, r)))));
    }

    private Route armPaths() {
        return concat(
                path(
                        "disarm",
                        () ->
                                concat(
                                        get(() -> answer(disarming::show)),
                                        post(() -> answer(disarming::disarm)))),
                path("arm", () -> post(() -> answer(disarming::arm))));
    }

    private Route eventPaths() {
        return pathPrefix(
                "events",
                () ->
                        concat(
                                pathEnd(() -> get(() -> answer(events::page))),
                                path("stream", () -> get(() -> extractRequest(events::stream)))));
    }

    private Route healthPaths() {
        return pathPrefix(
                "health",
                () ->
                        concat(
                                path("live", () -> get(() -> answer(health::live))),
                                path("ready", () -> get(() -> answer(health::ready)))));
    }

    /** Every request's body is read first, so that none is left on the connection. */
    private Route withBody(Supplier<Route> inner) {
        return extractMaterializer(materializer ->
                extractRequest(request ->
                        onSuccess(
                                caught(() -> Bodies.read(request, materializer)),
                                body -> mapRequest(_ -> request.withEntity(body), inner))));
    }

    private Route answer(Function<HttpRequest, CompletionStage<HttpResponse>> handler) {
        return extractRequest(request ->
                completeWithFuture(
                        caught(() -> handler.apply(request))
                                .exceptionally(thrown -> answer(request, thrown))));
    }

    /** What is thrown at once fails the stage too, so that there is one way for failures. */
    private static <T> CompletionStage<T> caught(Supplier<CompletionStage<T>> start) {
        return CompletableFuture.completedFuture(start).thenCompose(Supplier::get);
    }

    private static HttpResponse answer(HttpRequest request, Throwable thrown) {
        var path = path(request);
        return Answers.problem(Faults.problem(thrown, request.method().name() + " " + path), path);
    }

    private ExceptionHandler exceptions() {
        return ExceptionHandler.newBuilder()
                .matchAny(thrown -> extractRequest(request -> complete(answer(request, thrown))))
                .build();
    }

    private RejectionHandler rejections() {
        return RejectionHandler.newBuilder()
                .handleNotFound(
                        problem(
                                Code.UNKNOWN_PATH,
                                "There is nothing at this path",
                                "The paths are /api/v1/vms, /api/v1/servers, /api/v1/disarm, /api/v1/arm, /api/v1/events, /api/v1/metrics and /api/v1/health; see docs/api.md."))
                .handleAll(
                        MethodRejection.class,
                        all -> methods(all.stream().map(MethodRejection::supported).toList()))
                .handle(
                        UnacceptedResponseContentTypeRejection.class,
                        _ ->
                                problem(
                                        Code.NOT_ACCEPTABLE,
                                        "This path answers with text/event-stream only",
                                        "Send 'Accept: text/event-stream' or no Accept header."))
                .handle(
                        Rejection.class,
                        rejection ->
                                problem(
                                        Code.MALFORMED_REQUEST,
                                        "The request was refused: "
                                                + rejection.getClass().getSimpleName(),
                                        "Correct the request; docs/api.md has an example for each."))
                .build();
    }

    private Route methods(List<HttpMethod> allowed) {
        var names = allowed.stream().map(HttpMethod::name).collect(Collectors.joining(", "));
        return extractRequest(request ->
                complete(
                        Answers.problem(
                                new Problem(
                                        Code.METHOD_NOT_ALLOWED,
                                        "Expected %s here, but got %s. Nothing was changed."
                                                .formatted(names, request.method().name()),
                                        "Use " + names + "."),
                                path(request),
                                Allow.create(allowed.toArray(HttpMethod[]::new)))));
    }

    private Route problem(Code code, String detail, String hint) {
        return extractRequest(request ->
                complete(Answers.problem(new Problem(code, detail + ".", hint), path(request))));
    }

    private static String path(HttpRequest request) {
        // Still encoded, as it was sent: a problem's instance is a URI reference.
        return request.getUri().getPathString();
    }
}
