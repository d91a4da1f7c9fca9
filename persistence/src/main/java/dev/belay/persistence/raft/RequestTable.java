package dev.belay.persistence.raft;

import java.util.Optional;
import java.util.UUID;

/**
 * The answers to the newest requests: a retry gets the answer of the first try (safety.md 4). That
 * holds for refusals, too: a refused event must not be stored by its own late twin.
 */
final class RequestTable {
    private static final int REMEMBERED = 4096;

    private final JournalStore store;

    RequestTable(JournalStore store) {
        this.store = store;
    }

    Optional<byte[]> answer(UUID request) {
        return Optional.ofNullable(store.map(Table.REQUESTS).get(request.toString()));
    }

    void remember(long index, UUID request, byte[] answer) {
        var requests = store.map(Table.REQUESTS);
        var order = store.map(Table.REQUEST_ORDER);
        requests.put(request.toString(), answer);
        order.put(Table.key(index), new WireWriter().uuid(request).toBytes());
        if (order.sizeAsLong() > REMEMBERED) {
            var oldest = order.remove(order.firstKey());
            if (oldest != null) {
                requests.remove(new WireReader(oldest).uuid().toString());
            }
        }
    }
}
