package dev.belay.cli;

import java.io.PrintWriter;

/** One command's run: whom it asks, and where it prints. */
record Session(ApiClient client, boolean json, PrintWriter out, PrintWriter err) {
    /** Prints the answer itself with {@code --json}, {@code readable} otherwise. */
    void print(ApiClient.Answer answer, Runnable readable) {
        if (json) {
            out.println(answer.text());
        } else {
            readable.run();
        }
        out.flush();
    }
}
