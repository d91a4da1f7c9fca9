package dev.belay.cluster;

/**
 * On the event stream: this node is out of the cluster, taken out by others or by its own side, and
 * in a moment its process ends to join anew. Until then it is connected to the nodes there.
 */
public record TakenOut() {}
