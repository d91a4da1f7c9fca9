package dev.belay.persistence.kryo;

import java.io.NotSerializableException;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Pekko's serializer for Belay's events and messages: all types of the classes in {@code
 * belay.kryo.types}.
 */
public final class KryoSerializer extends SerializerWithStringManifest {
    /** Written beside each payload; must never change. */
    public static final int IDENTIFIER = 770_001;

    private final KryoCodec codec;

    /**
     * @throws IllegalArgumentException when a class in {@code belay.kryo.types} can not be made, or
     *     ids, manifests or classes collide
     */
    public KryoSerializer(ExtendedActorSystem system) {
        // The resolver is asked for late: the typed system does not exist yet.
        codec =
                new KryoCodec(
                        TypeTable.of(contributors(system)),
                        () -> ActorRefResolver.get(Adapter.toTyped(system)),
                        system.dynamicAccess().classLoader());
    }

    private static List<KryoTypes> contributors(ExtendedActorSystem system) {
        var contributors = new ArrayList<KryoTypes>();
        for (var name : system.settings().config().getStringList("belay.kryo.types")) {
            try {
                var type = Class.forName(name, true, system.dynamicAccess().classLoader());
                contributors.add((KryoTypes) type.getConstructor().newInstance());
            } catch (ReflectiveOperationException | ClassCastException e) {
                throw new IllegalArgumentException(
                        "Expected a public KryoTypes class in belay.kryo.types, but got '%s'"
                                .formatted(name),
                        e);
            }
        }
        return contributors;
    }

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object object) {
        return codec.manifest(object);
    }

    @Override
    public byte[] toBinary(Object object) {
        return codec.toBytes(object);
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        return codec.fromBytes(bytes, manifest);
    }
}
