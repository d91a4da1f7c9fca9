package dev.belay.persistence.kryo;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** What all {@link KryoTypes} registered; checked, and fixed from then on. */
final class TypeTable implements KryoTypes.Registry {
    private static final int FIRST_ID = 100;

    /** How bytes of a manifest become an object. */
    record Reading(
            Class<?> type,
            Function<Object, Object> toPresent,
            boolean isUpcast,
            List<PastPart<?, ?>> parts) {}

    private final Map<Integer, Class<?>> classes = new LinkedHashMap<>();
    private final Map<Class<?>, String> manifests = new LinkedHashMap<>();
    private final Map<String, Reading> readings = new LinkedHashMap<>();
    private final Set<String> persisted = new TreeSet<>();

    private TypeTable() {}

    static TypeTable of(Collection<? extends KryoTypes> contributors) {
        var table = new TypeTable();
        contributors.forEach(types -> types.register(table));
        return table;
    }

    @Override
    public void persisted(int id, String manifest, Class<?> type) {
        part(id, type);
        name(manifest, type);
        persisted.add(manifest);
    }

    @Override
    public void message(int id, String manifest, Class<?> type) {
        part(id, type);
        name(manifest, type);
    }

    private void name(String manifest, Class<?> type) {
        addReading(manifest, new Reading(type, Function.identity(), false, List.of()));
        manifests.put(type, manifest);
    }

    private void addReading(String manifest, Reading reading) {
        var other = readings.putIfAbsent(manifest, reading);
        if (other != null) {
            throw new IllegalArgumentException(
                    "Manifest '%s' is given to %s and to %s"
                            .formatted(manifest, other.type().getName(), reading.type().getName()));
        }
    }

    @Override
    public void part(int id, Class<?> type) {
        if (id < FIRST_ID) {
            throw new IllegalArgumentException(
                    "Expected an id from %d for %s, but got %d"
                            .formatted(FIRST_ID, type.getName(), id));
        }
        requireRecordOrEnum(type);
        if (classes.containsValue(type)) {
            throw new IllegalArgumentException(type.getName() + " is registered twice");
        }
        var other = classes.putIfAbsent(id, type);
        if (other != null) {
            throw new IllegalArgumentException(
                    "Id %d is given to %s and to %s"
                            .formatted(id, other.getName(), type.getName()));
        }
    }

    private static void requireRecordOrEnum(Class<?> type) {
        if (!type.isRecord() && !type.isEnum()) {
            throw new IllegalArgumentException(
                    "Expected a record or an enum, but got " + type.getName());
        }
    }

    @Override
    public <O, N> void upcast(
            String manifest,
            Class<O> old,
            Function<? super O, ? extends N> toPresent,
            PastPart<?, ?>... parts) {
        requireRecordOrEnum(old);
        addReading(
                manifest,
                new Reading(
                        old, object -> toPresent.apply(old.cast(object)), true, List.of(parts)));
        persisted.add(manifest);
    }

    Map<Integer, Class<?>> classes() {
        return classes;
    }

    Optional<String> manifest(Class<?> type) {
        return Optional.ofNullable(manifests.get(type));
    }

    Optional<Reading> reading(String manifest) {
        return Optional.ofNullable(readings.get(manifest));
    }

    /** Manifests that storage may hold, those of the past included. */
    List<String> persistedManifests() {
        return List.copyOf(persisted);
    }
}
