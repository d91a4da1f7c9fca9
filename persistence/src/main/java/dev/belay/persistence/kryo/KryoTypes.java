package dev.belay.persistence.kryo;

import java.util.function.Function;

/**
 * The types that one module serializes, listed in {@code belay.kryo.types}. Must have a public
 * constructor without parameters.
 *
 * <p>Class ids are written wherever a nested value's class is not fixed by its field, so an id once
 * used is never used for another class. Ranges: 0 to 99 built in, 100 to 199 {@code
 * dev.belay.model}, 200 to 499 events and snapshots of entities, 500 to 999 messages between nodes,
 * from 1000 free.
 */
public interface KryoTypes {
    void register(Registry registry);

    /**
     * Takes the types. All are records or enums; of a sealed interface, register the records one by
     * one. Throws {@link IllegalArgumentException} for an id, manifest or class given twice.
     */
    interface Registry {
        /**
         * An event or snapshot that is stored. Once released, a persisted record never changes: a
         * new form is a new record with the next number in its manifest, and the old one is read by
         * {@link #upcast}.
         *
         * @param manifest its name in storage, with a version, like {@code vm.Created/1}
         */
        void persisted(int id, String manifest, Class<?> type);

        /** A message between nodes, never stored. */
        void message(int id, String manifest, Class<?> type);

        /** A value inside of others. What is inside of a persisted one must not change either. */
        void part(int id, Class<?> type);

        /**
         * Reads a manifest of the past as its old record, and turns that into the present one.
         *
         * @param parts those of its parts that had another form then; one that changes again later
         *     needs another {@link PastPart} here and there
         */
        <O, N> void upcast(
                String manifest,
                Class<O> old,
                Function<? super O, ? extends N> toPresent,
                PastPart<?, ?>... parts);
    }
}
