package dev.belay.persistence.raft;

/** One serialized event and its place in its entity's history. */
@SuppressWarnings("ArrayRecordComponent") // never compared, and a copy per event would cost
record StoredEvent(long sequenceNr, byte[] bytes) {}
