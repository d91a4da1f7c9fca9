package dev.belay.cli;

import java.io.PrintWriter;

/** One command's run: whom it asks, and where it prints. */
record Session(ApiClient client, boolean json, PrintWriter out, PrintWriter err) {
    private static final String NOT_CURRENT =
            "NOT CURRENT: what decides for this VM does not answer, so this is what the asked node last knew. It may be cut off; ask another one: --api <url>";

    /** Prints the answer itself with {@code --json}, {@code readable} otherwise. */
    void print(ApiClient.Answer answer, Runnable readable) {
        if (!answer.current()) {
            err.println(NOT_CURRENT);
            err.flush();
        }
        if (json) {
            out.println(answer.text());
        } else {
            readable.run();
        }
        out.flush();
    }
}
