package dev.belay.system;

import dev.belay.lab.Lab;
import dev.belay.lab.LabOptions;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * A lab for one test class, of two servers and a witness unless it says otherwise; its nodes' last
 * log lines when a test fails.
 */
final class LabExtension implements BeforeAllCallback, AfterAllCallback, TestWatcher {
    private static final int LINES = 60;

    private final String name;
    private final int servers;
    private final int witnesses;
    private final UnaryOperator<LabOptions> more;
    private @Nullable Lab lab;

    /**
     * @param name up to a dozen letters; unique among the classes
     */
    LabExtension(String name) {
        this(name, options -> options);
    }

    LabExtension(String name, Map<String, String> environment) {
        this(name, options -> options.withEnvironment(environment));
    }

    LabExtension(String name, UnaryOperator<LabOptions> more) {
        this(name, 2, 1, more);
    }

    LabExtension(String name, int servers, int witnesses, UnaryOperator<LabOptions> more) {
        this.name = name;
        this.servers = servers;
        this.witnesses = witnesses;
        this.more = more;
    }

    Lab lab() {
        if (lab == null) {
            throw new IllegalStateException("the lab is not up");
        }
        return lab;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        lab = Lab.up(more.apply(LabOptions.of(name, servers, witnesses).boundToThisProcess()));
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        if (lab != null) {
            for (var node : lab.nodes()) {
                System.err.println(
                        "--- last lines of "
                                + node
                                + " when "
                                + context.getDisplayName()
                                + " failed");
                lab.lastLogLines(node, LINES).forEach(System.err::println);
            }
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (lab != null) {
            lab.down();
        }
    }
}
