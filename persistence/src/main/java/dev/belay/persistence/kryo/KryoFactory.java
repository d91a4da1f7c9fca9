package dev.belay.persistence.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.serializers.OptionalSerializers.OptionalSerializer;
import com.esotericsoftware.kryo.serializers.RecordSerializer;
import com.esotericsoftware.kryo.serializers.TimeSerializers.DurationSerializer;
import com.esotericsoftware.kryo.serializers.TimeSerializers.InstantSerializer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/** Makes the Kryo instances of one codec; a Kryo serves one thread at a time. */
final class KryoFactory {
    private static final int STRING = 1; // Kryo's own id
    private static final int LIST = 20;
    private static final int SET = 21;
    private static final int MAP = 22;
    private static final int OPTIONAL = 23;
    private static final int INSTANT = 24;
    private static final int DURATION = 25;
    private static final int UUIDS = 26;
    private static final int BYTES = 27;
    private static final int ACTOR_REF = 28;

    private static final int DEEPEST = 64;

    private final TypeTable types;
    private final Supplier<ActorRefResolver> actorRefs;
    private final ClassLoader classLoader;

    KryoFactory(TypeTable types, Supplier<ActorRefResolver> actorRefs, ClassLoader classLoader) {
        this.types = types;
        this.actorRefs = actorRefs;
        this.classLoader = classLoader;
    }

    Kryo create() {
        var kryo = new ByInterface();
        kryo.setClassLoader(classLoader);
        kryo.setRegistrationRequired(true);
        kryo.setReferences(false);
        kryo.setMaxDepth(DEEPEST);
        kryo.register(String.class, new ValueSerializers.Text(), STRING);
        kryo.register(List.class, new ValueSerializers.Lists(), LIST);
        kryo.register(Set.class, new ValueSerializers.Sets(), SET);
        kryo.register(Map.class, new ValueSerializers.Maps(), MAP);
        kryo.register(Optional.class, new OptionalSerializer(), OPTIONAL);
        kryo.register(Instant.class, new InstantSerializer(), INSTANT);
        kryo.register(Duration.class, new DurationSerializer(), DURATION);
        kryo.register(UUID.class, new ValueSerializers.Uuids(), UUIDS);
        kryo.register(byte[].class, new ValueSerializers.Bytes(), BYTES);
        kryo.register(ActorRef.class, new ActorRefSerializer(actorRefs), ACTOR_REF);
        types.classes().forEach((id, type) -> register(kryo, id, type));
        return kryo;
    }

    private static void register(Kryo kryo, int id, Class<?> type) {
        if (type.isEnum()) {
            kryo.register(type, new ValueSerializers.Enums(type), id);
        } else {
            kryo.register(type, new RecordSerializer<>(type), id);
        }
    }

    /** One registration for all implementations of a collection or of a reference. */
    private static final class ByInterface extends Kryo {
        private static final List<Class<?>> INTERFACES =
                List.of(List.class, Set.class, Map.class, ActorRef.class);

        @Override
        @SuppressWarnings("rawtypes") // as Kryo has it
        public Registration getRegistration(Class type) {
            for (var general : INTERFACES) {
                if (general.isAssignableFrom(type)) {
                    return super.getRegistration(general);
                }
            }
            return super.getRegistration(type);
        }
    }
}
