package dev.belay.cluster;

import java.util.concurrent.CompletionStage;

/** Knocks at a node's cluster port, to tell a dead process from a silent machine. */
public interface ReachabilityProbe {
    enum Finding {
        /**
         * The machine's kernel answered that nobody listens: the node's process is dead, the
         * machine and its VMs may live.
         */
        REFUSED("connection refused: its node process is dead, what it ran may live"),
        /** No answer in time: dead machine, cut cable or overload; it proves nothing. */
        SILENT("no answer at its cluster port"),
        /** Connected. A hung process is connected to as well, so this proves nothing either. */
        CONNECTED("its cluster port accepts connections, but it sends no heartbeats");

        private final String words;

        Finding(String words) {
            this.words = words;
        }

        public String inWords() {
            return words;
        }
    }

    /** Never fails. */
    CompletionStage<Finding> probe(String host, int port);
}
