package dev.belay.model;

import java.util.List;

/**
 * Where a secondary waits for its primary.
 *
 * @param host an address of the secondary's server that the primary's reaches
 * @param migration TCP port for memory
 * @param disks TCP port of its NBD server
 * @param nics for each network card, in the spec's order
 */
public record PairAddress(String host, int migration, int disks, List<NicPorts> nics) {
    public PairAddress {
        nics = List.copyOf(nics);
    }

    /**
     * @param mirror TCP port that takes copies of what comes in at the primary
     * @param compare TCP port that gives what the secondary would send
     */
    public record NicPorts(int mirror, int compare) {}
}
