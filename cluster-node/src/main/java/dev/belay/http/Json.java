package dev.belay.http;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;

/**
 * How Belay's values look in JSON: a record's components and nothing else, absent values null,
 * times in ISO 8601.
 */
final class Json {
    static final ObjectMapper MAPPER =
            JsonMapper.builder()
                    .addModule(new Jdk8Module())
                    .addModule(new JavaTimeModule())
                    .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                    .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                    // Methods like isPinned() are behaviour, not data.
                    .visibility(PropertyAccessor.GETTER, Visibility.NONE)
                    .visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
                    .visibility(PropertyAccessor.FIELD, Visibility.ANY)
                    .addMixIn(VmName.class, Text.class)
                    .addMixIn(ServerName.class, Text.class)
                    .addMixIn(Epoch.class, Number.class)
                    .addMixIn(Incarnation.class, Number.class)
                    .build();

    private Json() {}

    static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(
                    "Expected to write " + value.getClass().getName() + " as JSON, but could not",
                    e);
        }
    }

    private abstract static class Text {
        @JsonValue
        abstract String value();
    }

    private abstract static class Number {
        @JsonValue
        abstract long value();
    }
}
