package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.lab.Lab;
import java.io.IOException;
import java.util.Map;

/** An address that no node of a lab has, on both of its networks, at one of its machines. */
final class OtherAddress implements AutoCloseable {
    /** Below those of the guests. */
    private static final String HOST = "99";

    private final Lab lab;
    private final String server;
    private final String machine;

    /**
     * @param server whose configuration is to say that it is there
     */
    OtherAddress(Lab lab, String server, String machine) throws IOException, InterruptedException {
        this.lab = lab;
        this.server = server;
        this.machine = machine;
        change("add");
    }

    /** The server's configuration, were it there. */
    String in(String config) {
        return config.replace('"' + lab.clusterAddress(server) + '"', '"' + cluster() + '"')
                .replace(lab.api(server).getHost() + '"', client() + '"')
                .replace(lab.api(server).getHost() + ':', client() + ':');
    }

    private String cluster() {
        return otherThan(lab.clusterAddress(server));
    }

    private String client() {
        return otherThan(lab.api(server).getHost());
    }

    private static String otherThan(String address) {
        return address.substring(0, address.lastIndexOf('.') + 1) + HOST;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        change("del");
    }

    private void change(String verb) throws IOException, InterruptedException {
        for (var address : Map.of("cl0", cluster(), "br0", client()).entrySet()) {
            var process =
                    new ProcessBuilder(
                                    "ip",
                                    "-n",
                                    lab.namespace(machine),
                                    "address",
                                    verb,
                                    address.getValue() + "/24",
                                    "dev",
                                    address.getKey())
                            .inheritIO()
                            .start();
            assertThat(process.waitFor()).as("%s %s", verb, address).isZero();
        }
    }
}
