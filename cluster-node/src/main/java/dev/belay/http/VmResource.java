package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.Outcome;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLevels;
import dev.belay.decision.VmState;
import dev.belay.decision.VmState.Present;
import dev.belay.http.Problem.Code;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.javadsl.model.headers.Location;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * {@code /vms}: reads from this node, carries requests to the VM's entity, and says honestly when
 * it does not know.
 */
final class VmResource {
    private static final String UNCHANGED = " Nothing was changed.";
    private static final String EXISTING =
            "See those that exist: belay vm list, or GET /api/v1/vms.";

    private final Admin admin;
    private final Carrier carrier;
    private final ServerFit servers;

    VmResource(Admin admin, Duration patience) {
        this.admin = admin;
        this.servers = new ServerFit(admin);
        this.carrier = new Carrier(patience);
    }

    CompletionStage<HttpResponse> list(HttpRequest request) {
        Query.of(request);
        var view = admin.view();
        return done(
                Answers.json(200, admin.vms().stream().map(vm -> VmView.of(vm, view)).toList()));
    }

    CompletionStage<HttpResponse> show(String name, HttpRequest request) {
        Query.of(request);
        return existing(name(name))
                .thenCompose(vm ->
                        admin.lockstep(vm.state())
                                .thenApply(figures ->
                                        Answers.json(
                                                200,
                                                VmView.of(
                                                        vm.state(),
                                                        admin.view(),
                                                        figures,
                                                        Optional.of(vm.current())),
                                                current(vm))));
    }

    CompletionStage<HttpResponse> failovers(String name, HttpRequest request) {
        Query.of(request);
        return existing(name(name))
                .thenApply(vm -> Answers.json(200, FailoverView.all(vm.state().vm()), current(vm)));
    }

    /** A list has no room for it. */
    private static HttpHeader current(Existing vm) {
        return RawHeader.create("Belay-Current", String.valueOf(vm.current()));
    }

    CompletionStage<HttpResponse> create(HttpRequest request) {
        boolean start = Query.of(request, "start").flag("start", true);
        var spec = RequestBody.spec((HttpEntity.Strict) request.entity());
        servers.refuseUnknownNames(spec);
        refuseIfItNeverCould(spec);
        return carrier.within(admin.check(spec))
                .exceptionallyCompose(
                        thrown -> failed(new ProblemException(Faults.notAnswering(thrown))))
                .thenCompose(reasons -> {
                    servers.refuseIfNoneFits(spec, reasons);
                    return carry(spec.name(), new VmInput.Create(spec, start));
                })
                .thenApply(state ->
                        Answers.json(
                                201,
                                VmView.of(spec.name(), state, admin.view()),
                                Location.create(Uri.create("/api/v1/vms/" + spec.name()))));
    }

    CompletionStage<HttpResponse> start(String name, HttpRequest request) {
        Query.of(request);
        return change(name, new VmInput.Start());
    }

    CompletionStage<HttpResponse> stop(String name, HttpRequest request) {
        return change(name, new VmInput.Stop(Query.of(request, "kill").flag("kill", false)));
    }

    CompletionStage<HttpResponse> delete(String name, HttpRequest request) {
        return change(name, new VmInput.Delete(Query.of(request, "force").flag("force", false)));
    }

    CompletionStage<HttpResponse> protect(String name, HttpRequest request) {
        return change(
                name,
                new VmInput.Protect(Query.of(request, "level").choice("level", Choice.LEVEL)));
    }

    CompletionStage<HttpResponse> switchover(String name, HttpRequest request) {
        Query.of(request);
        return change(name, new VmInput.Switchover());
    }

    private CompletionStage<HttpResponse> change(String name, VmInput.Request wish) {
        var vm = name(name);
        return carry(vm, wish)
                .thenApply(state -> Answers.json(202, VmView.of(vm, state, admin.view())));
    }

    private CompletionStage<VmState> carry(VmName vm, VmInput.Request request) {
        var wish =
                new Carrier.Wish(
                        "%s of vm %s".formatted(request.getClass().getSimpleName(), vm),
                        "/api/v1/vms/" + vm,
                        repeat(request),
                        !(request instanceof VmInput.Delete
                                || request instanceof VmInput.Switchover));
        return carrier.carry(wish, admin.request(vm, request), refused -> refused(vm, refused));
    }

    private static Problem refused(VmName vm, Outcome.Refused<VmState> refused) {
        var detail = Carrier.sentence(refused.message()) + UNCHANGED;
        return switch (refused.reason()) {
            case NOT_FOUND -> notFound(vm);
            case EXISTS ->
                    new Problem(
                            Code.NAME_TAKEN,
                            detail,
                            "See what runs under it: belay vm show %s, or GET /api/v1/vms/%s. Then choose another name or delete that VM."
                                    .formatted(vm, vm));
            case CONFLICT ->
                    new Problem(
                            Code.CONFLICT,
                            detail,
                            "See where it stands and why: belay vm show %s, or GET /api/v1/vms/%s, field 'explanation'."
                                    .formatted(vm, vm));
            case UNSUPPORTED -> unsupported(detail);
        };
    }

    private static String repeat(VmInput.Request wish) {
        return switch (wish) {
            case VmInput.Create _ ->
                    "Repeating is safe: if it was carried out, the repeat is refused with 'name-taken'";
            case VmInput.Start _ ->
                    "Repeating is safe: starting a VM that shall run changes nothing";
            case VmInput.Stop _ ->
                    "Repeating is safe: stopping a VM that shall be stopped changes nothing";
            case VmInput.Protect _ ->
                    "Repeating is safe: a level that the VM has already changes nothing";
            case VmInput.Switchover _ ->
                    "Look before you repeat it: if it was carried out, the repeat moves the VM back";
            case VmInput.Delete _ ->
                    "Repeating is safe, unless somebody created a VM of that name since: if it was carried out, the repeat is refused with 'vm-not-found'";
        };
    }

    /** What holds of every server is told once, and with what the level asks for. */
    private static void refuseIfItNeverCould(VmSpec spec) {
        VmLevels.whyNever(spec)
                .ifPresent(why -> {
                    throw new ProblemException(unsupported(Carrier.sentence(why) + UNCHANGED));
                });
    }

    /** See {@link Admin.Shown}. */
    private record Existing(Present state, boolean current) {}

    private CompletionStage<Existing> existing(VmName vm) {
        return carrier.within(admin.show(vm))
                .exceptionallyCompose(
                        thrown -> failed(new ProblemException(Faults.notAnswering(thrown))))
                .thenApply(shown -> {
                    if (shown.state() instanceof Present present) {
                        return new Existing(present, shown.current());
                    }
                    throw new ProblemException(notFound(vm));
                });
    }

    private static Problem unsupported(String detail) {
        return new Problem(Code.UNSUPPORTED, detail, "Change the request as the detail says.");
    }

    private static Problem notFound(VmName vm) {
        return new Problem(Code.VM_NOT_FOUND, "There is no VM named '%s'.".formatted(vm), EXISTING);
    }

    private static VmName name(String text) {
        try {
            return new VmName(text);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(Code.INVALID_PARAMETER, Faults.told(e) + ".", EXISTING);
        }
    }

    private static <T> CompletionStage<T> failed(Throwable thrown) {
        return CompletableFuture.failedFuture(thrown);
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }
}
