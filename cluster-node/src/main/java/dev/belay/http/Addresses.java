package dev.belay.http;

import dev.belay.model.VmName;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.regex.Pattern;

/** MAC and IP addresses of network cards. */
final class Addresses {
    static final String MAC_FORM =
            "the MAC address of one card like 52:54:00:12:34:56 (six pairs of hex digits, the first pair even)";

    private static final Pattern MAC =
            Pattern.compile("[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}");
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    private Addresses() {}

    /** An odd first byte would make it a group's address. */
    static boolean isMac(String text) {
        return MAC.matcher(text).matches() && !text.matches("[0:]+");
    }

    static boolean isIp(String text) {
        // Java also reads 10.1 as an IPv4 address; here that is a slip of the pen.
        if (!text.contains(":") && !IPV4.matcher(text).matches()) {
            return false;
        }
        try {
            var _ = InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * The same for the same VM and card each time, so that a VM keeps its address over its deletion
     * and return.
     */
    static String mac(VmName vm, int index) {
        try {
            var hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest((vm.value() + "/" + index).getBytes(StandardCharsets.UTF_8));
            return "52:54:00:%02x:%02x:%02x".formatted(hash[0], hash[1], hash[2]);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(
                    "Expected every JDK to have SHA-256, but this has not", e);
        }
    }
}
