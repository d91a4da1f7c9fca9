package dev.belay.persistence.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.serializers.RecordSerializer;
import com.esotericsoftware.kryo.util.Pool;
import java.io.NotSerializableException;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRefResolver;

/** Objects to bytes and back, for a fixed set of types. Thread-safe; needs no actor system. */
public final class KryoCodec {
    private static final int FIRST_BUFFER = 512;
    private static final int LARGEST = 16 << 20;
    private static final int POOLED = 16;

    private final TypeTable types;
    private final KryoFactory factory;
    private final Pool<Kryo> kryos;
    private final Pool<Output> outputs =
            new Pool<>(true, false, POOLED) {
                @Override
                protected Output create() {
                    return new Output(FIRST_BUFFER, LARGEST);
                }
            };

    KryoCodec(TypeTable types, Supplier<ActorRefResolver> actorRefs, ClassLoader classLoader) {
        this.types = types;
        factory = new KryoFactory(types, actorRefs, classLoader);
        kryos =
                new Pool<>(true, false, POOLED) {
                    @Override
                    protected Kryo create() {
                        return factory.create();
                    }
                };
    }

    /**
     * A codec for values without actor references: tests of stored types.
     *
     * @throws IllegalArgumentException when ids, manifests or classes collide
     */
    public static KryoCodec of(Collection<? extends KryoTypes> types) {
        return new KryoCodec(
                TypeTable.of(types),
                () -> {
                    throw new IllegalStateException("No actor references without an actor system");
                },
                KryoCodec.class.getClassLoader());
    }

    /** The name under which {@code object} is written. */
    public String manifest(Object object) {
        return types.manifest(object.getClass())
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                "%s is not registered: add it to a KryoTypes in belay.kryo.types as persisted or message"
                                        .formatted(object.getClass().getName())));
    }

    /** Manifests that storage may hold, those of the past included. */
    public List<String> persistedManifests() {
        return types.persistedManifests();
    }

    /** Whether {@code manifest} is only read, and upcast. */
    public boolean isUpcast(String manifest) {
        return types.reading(manifest).map(TypeTable.Reading::isUpcast).orElse(false);
    }

    /**
     * @throws IllegalArgumentException when the class of the object or of a value in it is not
     *     registered
     */
    public byte[] toBytes(Object object) {
        var manifest = manifest(object);
        var kryo = kryos.obtain();
        var out = outputs.obtain();
        boolean isWhole = false;
        try {
            out.reset();
            kryo.writeObject(out, object);
            isWhole = true;
            return out.toBytes();
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "%s can not be written: %s. Register parts in a KryoTypes in belay.kryo.types"
                            .formatted(manifest, e.getMessage()),
                    e);
        } finally {
            // After a failure its state is unknown: it is left to the garbage collector.
            if (isWhole) {
                kryos.free(kryo);
                outputs.free(out);
            }
        }
    }

    /**
     * @throws NotSerializableException when the manifest is unknown or the bytes are not exactly
     *     one object of it
     */
    public Object fromBytes(byte[] bytes, String manifest) throws NotSerializableException {
        var reading =
                types.reading(manifest)
                        .orElseThrow(() ->
                                new NotSerializableException(
                                        "Unknown manifest '%s': it comes from a newer version, or its type is missing in belay.kryo.types"
                                                .formatted(manifest)));
        var object = read(bytes, manifest, reading);
        try {
            return reading.toPresent().apply(object);
        } catch (RuntimeException e) {
            throw unreadable(manifest, "its upcaster failed: " + e.getMessage(), e);
        }
    }

    private Object read(byte[] bytes, String manifest, TypeTable.Reading reading)
            throws NotSerializableException {
        // One for forms of the past is not worth keeping: they are read once, when a node starts.
        boolean isPast = !reading.parts().isEmpty();
        var kryo = isPast ? factory.create() : kryos.obtain();
        reading.parts().forEach(part -> part.readBy(kryo));
        var in = new Input(bytes);
        Object object;
        try {
            object =
                    reading.isUpcast() && reading.type().isRecord()
                            ? kryo.readObject(
                                    in, reading.type(), new RecordSerializer<>(raw(reading)))
                            : kryo.readObject(in, reading.type());
        } catch (RuntimeException e) {
            throw unreadable(manifest, String.valueOf(e.getMessage()), e);
        }
        if (!isPast) {
            kryos.free(kryo);
        }
        if (object == null || in.position() != bytes.length) {
            throw unreadable(
                    manifest, (bytes.length - in.position()) + " bytes are left over", null);
        }
        return object;
    }

    @SuppressWarnings("unchecked")
    private static <T> Class<T> raw(TypeTable.Reading reading) {
        return (Class<T>) reading.type();
    }

    private static NotSerializableException unreadable(
            String manifest, String why, @org.jspecify.annotations.Nullable Throwable cause) {
        var failure =
                new NotSerializableException(
                        "Bytes of '%s' can not be read: %s".formatted(manifest, why));
        if (cause != null) {
            failure.initCause(cause);
        }
        return failure;
    }
}
