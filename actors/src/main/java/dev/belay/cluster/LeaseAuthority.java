package dev.belay.cluster;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.util.concurrent.CompletionStage;

/**
 * Who answers for leases: the quorum, by a linearizable read begun after the request arrived
 * (safety.md 8).
 */
public interface LeaseAuthority {
    enum Verdict {
        /**
         * The incarnation is the newest and not fenced: the lease counts from the moment the
         * request was sent.
         */
        GRANTED,
        /** This incarnation is fenced, or a newer one was admitted: stop everything. */
        FENCED,
        /** The journal never admitted this incarnation. */
        UNKNOWN
    }

    /** Fails when no quorum answered in time; then nothing is granted. */
    CompletionStage<Verdict> renew(ServerName server, Incarnation incarnation);
}
