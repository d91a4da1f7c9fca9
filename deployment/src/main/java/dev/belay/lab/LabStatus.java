package dev.belay.lab;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** A lab as it is now. */
public record LabStatus(String name, Path folder, List<Node> nodes) {
    public boolean isReady() {
        return nodes.stream().allMatch(node -> node.state == State.READY);
    }

    /** How a node is doing. */
    public enum State {
        /** Has joined the cluster, and its journal takes writes. */
        READY("ready"),
        /** Its JVM runs, but it says that it is not ready, or says nothing. */
        NOT_READY("not-ready"),
        /** Its JVM ended, and its supervisor is about to start it again. */
        RESTARTING("restarting"),
        /** All of its processes are stopped by a signal. */
        PAUSED("paused"),
        /** Its JVM does not run and will not be started; its guests may go on. */
        STOPPED("stopped"),
        /** Its power is cut. */
        OFF("off");

        private final String word;

        State(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    /** What gets through a node's cluster network. */
    public enum Link {
        UP("up"),
        /** Nothing gets through. */
        CUT("cut"),
        /** Nothing reaches the node; what it sends arrives. */
        CUT_IN("cut-in"),
        /** Nothing that it sends arrives; it hears the others. */
        CUT_OUT("cut-out"),
        /** Something between it and another node does not get through, while all others hear it. */
        CUT_PAIR("cut-pair"),
        /** The node's power is off. */
        DOWN("down");

        private final String word;

        Link(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }

        static Link of(boolean in, boolean out) {
            if (in && out) {
                return CUT;
            }
            if (in) {
                return CUT_IN;
            }
            return out ? CUT_OUT : UP;
        }
    }

    /**
     * One node as it is now.
     *
     * @param role {@code server} or {@code witness}
     * @param why it is not ready; empty when it is
     * @param jvm process id of its JVM, if that runs
     * @param boots how many times its power was switched on
     */
    public record Node(
            String name,
            String role,
            State state,
            String why,
            Link link,
            URI api,
            boolean voter,
            OptionalLong jvm,
            int boots) {}
}
