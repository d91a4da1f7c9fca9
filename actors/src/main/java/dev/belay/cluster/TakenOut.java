package dev.belay.cluster;

/**
 * On the event stream: the others have taken this node out of the cluster, and in a moment its
 * process ends to join anew. Until then it is connected to the nodes on its own side.
 */
public record TakenOut() {}
