package dev.belay.persistence.kryo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.io.NotSerializableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class KryoCodecTest {
    sealed interface Shape {}

    record Circle(double radius) implements Shape {}

    record Square(int side, String label) implements Shape {}

    enum Colour {
        RED,
        GREEN {
            @Override
            boolean isDark() {
                return false;
            }
        };

        boolean isDark() {
            return true;
        }
    }

    record Everything(
            String text,
            int number,
            long big,
            boolean flag,
            Shape shape,
            Colour colour,
            Optional<Shape> maybe,
            Optional<String> absent,
            List<Object> list,
            Set<String> set,
            Map<String, Shape> map,
            Instant at,
            Duration span,
            UUID id) {}

    record Empty() {}

    record Renamed(String first, String second) {}

    record OldName(String name) {}

    record Loose(Object value) {}

    record Secret(String word) {}

    record Defined(VmSpec spec, RunRight right) {}

    static final class Types implements KryoTypes {
        @Override
        public void register(Registry registry) {
            registry.persisted(1000, "test.Everything/1", Everything.class);
            registry.persisted(1001, "test.Empty/1", Empty.class);
            registry.persisted(1002, "test.Name/2", Renamed.class);
            registry.upcast("test.Name/1", OldName.class, old -> new Renamed(old.name(), "?"));
            registry.message(1003, "test.Loose", Loose.class);
            registry.persisted(1004, "test.Defined/1", Defined.class);
            registry.part(1010, Circle.class);
            registry.part(1011, Square.class);
            registry.part(1012, Colour.class);
        }
    }

    private final KryoCodec codec = KryoCodec.of(List.of(new ModelTypes(), new Types()));

    private static Everything everything() {
        return new Everything(
                "grüße",
                1,
                Long.MIN_VALUE,
                true,
                new Circle(1.5),
                Colour.GREEN,
                Optional.of(new Square(2, "s")),
                Optional.empty(),
                List.of(1, "two", 3L, new Square(4, "four"), Colour.RED),
                Set.of("x", "y"),
                Map.of("k", new Circle(2)),
                Instant.ofEpochSecond(1, 2),
                Duration.ofMillis(3),
                new UUID(4, 5));
    }

    private Object andBack(Object object) throws NotSerializableException {
        return codec.fromBytes(codec.toBytes(object), codec.manifest(object));
    }

    @Test
    void recordsComeBackWithAllTheyHold() throws Exception {
        assertThat(andBack(everything())).isEqualTo(everything());
        assertThat(andBack(new Empty())).isEqualTo(new Empty());
    }

    @Test
    void modelTypesAreRegistered() throws Exception {
        var spec =
                new VmSpec(
                        new VmName("web"),
                        2,
                        512,
                        Optional.of(new KernelBoot("/k", "/i", "quiet")),
                        List.of(new DiskSpec("root", DiskKind.LOCAL, Optional.of("/d"), "raw", 10)),
                        List.of(new NicSpec("br0", "52:54:00:12:34:56", Optional.empty())),
                        Level.SYSTEM,
                        new Placement(List.of(), List.of(new ServerName("alpha")), List.of()),
                        7);
        var right =
                new RunRight(
                        spec.name(), new Epoch(3), new ServerName("alpha"), new Incarnation(4));
        assertThat(andBack(new Defined(spec, right))).isEqualTo(new Defined(spec, right));
    }

    @Test
    void everyListIsWrittenAlike() throws Exception {
        var lists =
                List.of(
                        List.of("a", "b"),
                        new ArrayList<>(List.of("a", "b")),
                        new LinkedList<>(List.of("a", "b")),
                        Arrays.asList("a", "b"),
                        List.of("a", "b", "c").subList(0, 2));
        for (var list : lists) {
            assertThat(codec.toBytes(new Loose(list)))
                    .isEqualTo(codec.toBytes(new Loose(lists.getFirst())));
            assertThat(andBack(new Loose(list))).isEqualTo(new Loose(list));
        }
    }

    @Test
    void anUnregisteredClassIsNamedWithThePlaceToRegisterIt() {
        assertThatThrownBy(() -> codec.manifest(new Secret("x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("KryoCodecTest$Secret")
                .hasMessageContaining("belay.kryo.types");
        assertThatThrownBy(() -> codec.toBytes(new Loose(new Secret("x"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("KryoCodecTest$Secret")
                .hasMessageContaining("belay.kryo.types");
        assertThatThrownBy(() -> codec.toBytes(new Loose(new StringBuilder("x"))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void oldBytesAreUpcast() throws Exception {
        var past =
                KryoCodec.of(
                        List.of(registry -> registry.persisted(900, "test.Name/1", OldName.class)));
        var bytes = past.toBytes(new OldName("ann"));
        assertThat(codec.fromBytes(bytes, "test.Name/1")).isEqualTo(new Renamed("ann", "?"));
        assertThat(codec.isUpcast("test.Name/1")).isTrue();
    }

    @Test
    void onlyWholeObjectsAreRead() {
        var bytes = codec.toBytes(everything());
        for (int length = 0; length < bytes.length; length++) {
            var cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> codec.fromBytes(cut, "test.Everything/1"))
                    .isInstanceOf(NotSerializableException.class);
        }
        assertThatThrownBy(() ->
                        codec.fromBytes(
                                Arrays.copyOf(bytes, bytes.length + 1), "test.Everything/1"))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("1 bytes are left over");
        assertThatThrownBy(() -> codec.fromBytes(bytes, "test.Everything/2"))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("Unknown manifest 'test.Everything/2'");
    }

    @Test
    void damagedBytesEndInAnObjectOrInNotSerializable() throws Exception {
        var random = new Random(1);
        var good = codec.toBytes(everything());
        for (int i = 0; i < 5_000; i++) {
            var bytes = good.clone();
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            try {
                assertThat(codec.fromBytes(bytes, "test.Everything/1"))
                        .isInstanceOf(Everything.class);
            } catch (NotSerializableException expected) {
                assertThat(expected.getMessage()).contains("test.Everything/1");
            }
        }
        assertThat(codec.fromBytes(good, "test.Everything/1")).isEqualTo(everything());
    }

    @Test
    void idsManifestsAndClassesAreGivenOnce() {
        assertThatThrownBy(() ->
                        KryoCodec.of(
                                List.of(r -> {
                                    r.part(200, Circle.class);
                                    r.part(200, Square.class);
                                })))
                .hasMessageContaining("Id 200");
        assertThatThrownBy(() ->
                        KryoCodec.of(
                                List.of(r -> {
                                    r.message(200, "m", Circle.class);
                                    r.message(201, "m", Square.class);
                                })))
                .hasMessageContaining("Manifest 'm'");
        assertThatThrownBy(() ->
                        KryoCodec.of(
                                List.of(r -> {
                                    r.part(200, Circle.class);
                                    r.part(201, Circle.class);
                                })))
                .hasMessageContaining("registered twice");
        assertThatThrownBy(() -> KryoCodec.of(List.of(r -> r.part(99, Circle.class))))
                .hasMessageContaining("id from 100");
        assertThatThrownBy(() -> KryoCodec.of(List.of(r -> r.part(200, Shape.class))))
                .hasMessageContaining("a record or an enum");
    }

    @Test
    void manyThreadsShareOneCodec() throws Exception {
        Callable<Boolean> work =
                () -> {
                    for (int i = 0; i < 500; i++) {
                        assertThat(andBack(everything())).isEqualTo(everything());
                    }
                    return true;
                };
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var done : threads.invokeAll(List.of(work, work, work, work))) {
                assertThat(done.get()).isTrue();
            }
        }
    }
}
