package dev.belay.persistence.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Serializers in place of Kryo's own where those allocate by a length they did not check, depend on
 * the order of an enum's constants, or differ by which class implements a collection. Collections
 * come back immutable.
 */
final class ValueSerializers {
    private ValueSerializers() {}

    private static int length(Input in) {
        int length = in.readVarInt(true);
        int left = in.limit() - in.position();
        if (length < 0 || length > left) {
            throw new KryoException(
                    "Expected " + length + " more bytes or items, but " + left + " bytes are left");
        }
        return length;
    }

    private static byte[] bytes(Input in) {
        return in.readBytes(length(in));
    }

    static final class Text extends Serializer<String> {
        Text() {
            super(false, true);
        }

        @Override
        public void write(Kryo kryo, Output out, String text) {
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            out.writeVarInt(bytes.length, true);
            out.writeBytes(bytes);
        }

        @Override
        public String read(Kryo kryo, Input in, Class<? extends String> type) {
            return new String(bytes(in), StandardCharsets.UTF_8);
        }
    }

    static final class Bytes extends Serializer<byte[]> {
        @Override
        public void write(Kryo kryo, Output out, byte[] bytes) {
            out.writeVarInt(bytes.length, true);
            out.writeBytes(bytes);
        }

        @Override
        public byte[] read(Kryo kryo, Input in, Class<? extends byte[]> type) {
            return bytes(in);
        }
    }

    static final class Uuids extends Serializer<UUID> {
        @Override
        public void write(Kryo kryo, Output out, UUID uuid) {
            out.writeLong(uuid.getMostSignificantBits());
            out.writeLong(uuid.getLeastSignificantBits());
        }

        @Override
        public UUID read(Kryo kryo, Input in, Class<? extends UUID> type) {
            return new UUID(in.readLong(), in.readLong());
        }
    }

    /** By name: constants may be added and moved, but not renamed. */
    static final class Enums extends Serializer<Object> {
        private final Map<String, Object> constants = new HashMap<>();
        private final String enumName;

        Enums(Class<?> type) {
            super(false, true);
            enumName = type.getName();
            for (var constant : type.getEnumConstants()) {
                constants.put(((Enum<?>) constant).name(), constant);
            }
        }

        @Override
        public void write(Kryo kryo, Output out, Object constant) {
            kryo.writeObject(out, ((Enum<?>) constant).name());
        }

        @Override
        public Object read(Kryo kryo, Input in, Class<?> type) {
            var name = kryo.readObject(in, String.class);
            var constant = constants.get(name);
            if (constant == null) {
                throw new KryoException(enumName + " has no constant " + name);
            }
            return constant;
        }
    }

    private static void writeAll(Kryo kryo, Output out, Collection<?> items) {
        out.writeVarInt(items.size(), true);
        items.forEach(item -> kryo.writeClassAndObject(out, item));
    }

    private static <C extends Collection<Object>> C readAll(Kryo kryo, Input in, C target) {
        for (int left = length(in); left > 0; left--) {
            target.add(kryo.readClassAndObject(in));
        }
        return target;
    }

    static final class Lists extends Serializer<List<?>> {
        @Override
        public void write(Kryo kryo, Output out, List<?> list) {
            writeAll(kryo, out, list);
        }

        @Override
        public List<?> read(Kryo kryo, Input in, Class<? extends List<?>> type) {
            return List.copyOf(readAll(kryo, in, new ArrayList<>()));
        }
    }

    static final class Sets extends Serializer<Set<?>> {
        @Override
        public void write(Kryo kryo, Output out, Set<?> set) {
            writeAll(kryo, out, set);
        }

        @Override
        public Set<?> read(Kryo kryo, Input in, Class<? extends Set<?>> type) {
            return Collections.unmodifiableSet(readAll(kryo, in, new LinkedHashSet<>()));
        }
    }

    static final class Maps extends Serializer<Map<?, ?>> {
        @Override
        public void write(Kryo kryo, Output out, Map<?, ?> map) {
            out.writeVarInt(map.size(), true);
            map.forEach((key, value) -> {
                kryo.writeClassAndObject(out, key);
                kryo.writeClassAndObject(out, value);
            });
        }

        @Override
        public Map<?, ?> read(Kryo kryo, Input in, Class<? extends Map<?, ?>> type) {
            var map = new LinkedHashMap<Object, Object>();
            for (int left = length(in); left > 0; left--) {
                map.put(kryo.readClassAndObject(in), kryo.readClassAndObject(in));
            }
            return Collections.unmodifiableMap(map);
        }
    }
}
