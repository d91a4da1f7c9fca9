package dev.belay.qemu;

import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Names of taps and of the nft table. The kernel allows 15 characters, so they are hashes; the
 * first part is the node's own, because several nodes may share one kernel in a test.
 */
record TapNames(String node) {
    private static final String PREFIX = "bly";

    static TapNames of(QemuSettings settings) {
        return new TapNames(hash(settings.serverName() + " " + settings.runDir(), 4));
    }

    String prefix() {
        return PREFIX + node;
    }

    String table() {
        return "belay_" + node;
    }

    /** The same in every epoch: an older replica's tap is gone before a newer one starts. */
    String tap(VmName vm, int nic) {
        return prefix() + hash(vm.value(), 6) + "." + nic;
    }

    List<String> taps(VmSpec spec) {
        return IntStream.range(0, spec.nics().size())
                .mapToObj(nic -> tap(spec.name(), nic))
                .toList();
    }

    private static String hash(String text, int length) {
        try {
            var digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, length);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }
}
