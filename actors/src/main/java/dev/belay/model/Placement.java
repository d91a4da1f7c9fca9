package dev.belay.model;

import java.util.List;

/**
 * Where a VM should run: only on {@code only} (empty: anywhere), rather on {@code prefer}, rather
 * not on {@code avoid}.
 */
public record Placement(List<ServerName> only, List<ServerName> prefer, List<ServerName> avoid) {
    public static final Placement ANYWHERE = new Placement(List.of(), List.of(), List.of());

    public Placement {
        only = List.copyOf(only);
        prefer = List.copyOf(prefer);
        avoid = List.copyOf(avoid);
    }

    public boolean allows(ServerName server) {
        return only.isEmpty() || only.contains(server);
    }
}
