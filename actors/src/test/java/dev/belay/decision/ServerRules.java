package dev.belay.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.Incarnation;

/** What holds of each decision about a server, whatever led to it. */
final class ServerRules {
    private ServerRules() {}

    static void check(
            ServerState before, ServerInput input, Accepted<ServerEvent, ServerAction> decision) {
        var state = before;
        boolean proved = before instanceof ServerState.Fenced;
        for (var event : decision.events()) {
            var held = incarnation(state);
            state = ServerHistory.apply(state, event);
            switch (event) {
                case ServerEvent.ServerAdmitted(_, var server) -> {
                    assertThat(server.incarnation()).isEqualTo(held.next());
                    assertThat(held.equals(Incarnation.NONE) || proved)
                            .as("%s is succeeded unproved", held)
                            .isTrue();
                    assertThat(input)
                            .isInstanceOfSatisfying(
                                    ServerInput.Join.class,
                                    join -> {
                                        assertThat(join.clean()).isTrue();
                                        assertThat(join.holding()).isEqualTo(held);
                                    });
                }
                case ServerEvent.FencingProved(_, var incarnation, _) -> {
                    assertThat(incarnation).isEqualTo(held);
                    assertThat(proves(input, held)).as("%s proves %s", input, held).isTrue();
                    proved = true;
                }
                case ServerEvent.ProofVoided(_, var incarnation, _) -> {
                    assertThat(incarnation).isEqualTo(held);
                    assertThat(proved).isTrue();
                    proved = false;
                }
                case ServerEvent.ServerFenced(_, _, var incarnation, _) ->
                        assertThat(incarnation).isEqualTo(held);
                default -> assertThat(incarnation(state)).isEqualTo(held);
            }
        }
        for (var action : decision.actions()) {
            checkWelcome(state, input, action);
        }
    }

    /** Whoever else it reaches does not take it, so no two machines live as one incarnation. */
    private static void checkWelcome(ServerState after, ServerInput input, ServerAction action) {
        if (action instanceof ServerAction.Welcome(var admitted)) {
            assertThat(after)
                    .isInstanceOfSatisfying(
                            ServerState.Live.class,
                            live -> assertThat(live.server()).isEqualTo(admitted));
            assertThat(input)
                    .isInstanceOfSatisfying(
                            ServerInput.Join.class,
                            join -> {
                                assertThat(admitted.admits(join.bootId(), join.terms()))
                                        .as("%s is for %s", admitted, join)
                                        .isTrue();
                                assertThat(admitted.admits("boot-other", join.terms())).isFalse();
                            });
        }
    }

    private static boolean proves(ServerInput input, Incarnation incarnation) {
        return switch (input) {
            case ServerInput.LeaseWaited(var waited, _) -> waited.equals(incarnation);
            case ServerInput.AgentAnswered(var answered, var off, _) ->
                    off && answered.equals(incarnation);
            case ServerInput.ConfirmOff(var seen, var answers) ->
                    !answers && seen.equals(incarnation);
            case ServerInput.Join join -> join.clean() && join.holding().equals(incarnation);
            default -> false;
        };
    }

    static Incarnation incarnation(ServerState state) {
        return state instanceof ServerState.Known known
                ? known.server().incarnation()
                : Incarnation.NONE;
    }
}
