package dev.belay.model;

import java.util.List;

/** An event whose claims the journal checks before it stores it. */
public interface GuardedEvent {
    List<JournalGuard> guards();
}
