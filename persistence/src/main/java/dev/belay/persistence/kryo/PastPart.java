package dev.belay.persistence.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.serializers.RecordSerializer;
import java.util.function.Function;

/**
 * A part of stored values that had another form once.
 *
 * @param present the record that it is now
 * @param old the record that it was
 */
public record PastPart<N, O>(Class<N> present, Class<O> old, Function<O, N> toPresent) {

    /** What the Kryo reads from now on holds the old form. */
    void readBy(Kryo kryo) {
        kryo.getRegistration(present).setSerializer(new OldForm());
    }

    private final class OldForm extends Serializer<N> {
        private final RecordSerializer<O> serializer = new RecordSerializer<>(old);

        @Override
        public void write(Kryo kryo, Output out, N object) {
            throw new IllegalStateException("Nothing is written in a form of the past");
        }

        @Override
        public N read(Kryo kryo, Input in, Class<? extends N> type) {
            return toPresent.apply(serializer.read(kryo, in, old));
        }
    }
}
