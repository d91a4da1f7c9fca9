package dev.belay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How single values become figures. */
class FigureTest {
    @Test
    void theMedianIsTheMiddleOneOrBetweenTheTwoInTheMiddle() {
        assertThat(Figure.of("odd", "ms", List.of(9.0, 1.0, 2.0)).median()).isEqualTo(2);
        assertThat(Figure.of("even", "ms", List.of(4.0, 1.0, 100.0, 2.0)).median()).isEqualTo(3);
        assertThat(Figure.median(List.of(7.0))).isEqualTo(7);
    }

    @Test
    void fewerThanTwentyRunsHaveNo99thPercentile() {
        assertThat(counting(19).p99()).isEmpty();
        assertThat(Figures.table(List.of(counting(19)))).containsPattern("10 ms +- +19 ms +19");
        assertThat(Figures.json(List.of(counting(19)))).doesNotContain("p99");
    }

    @Test
    void the99thPercentileIsNotExceededBy99OfAHundred() {
        assertThat(counting(20).p99()).hasValue(20);
        assertThat(counting(50).p99()).hasValue(50);
        assertThat(counting(99).p99()).hasValue(99);
        assertThat(counting(100).p99()).hasValue(99);
        assertThat(counting(1000).p99()).hasValue(990);
        assertThat(Figures.table(List.of(counting(1001))))
                .containsPattern("501 ms +991 ms +1001 ms +1001");
    }

    @Test
    void aMedianAtTheBarMeetsIt() {
        assertThat(Figure.of("at", "ms", List.of(1.0, 5.0, 9.0), 5).isMet()).isTrue();
        assertThat(Figure.of("above", "ms", List.of(1.0, 5.1, 5.2), 5).isMet()).isFalse();
    }

    @Test
    void a99thPercentileIsJudgedFromFiftyValuesOn() {
        var few = counting(49).withP99(OptionalDouble.of(48));
        assertThat(few.isMet()).isTrue();
        assertThat(counting(50).withP99(OptionalDouble.of(50)).isMet()).isTrue();
        var missed = counting(50).withP99(OptionalDouble.of(49));
        assertThat(missed.isMet()).isFalse();
        assertThat(Figures.table(List.of(missed))).containsPattern("<= 49 ms +P99 MISSED");
        assertThat(Figures.json(List.of(missed)))
                .contains("\"p99Bar\" : 49.0")
                .contains("\"met\" : false");
        assertThat(Figures.json(List.of(few))).contains("\"met\" : true");
    }

    @Test
    void whatWasNotMeasuredIsSaidToBeSo() {
        assertThat(Figures.table(List.of(Figure.of("none", "ms", List.of(), 5))))
                .contains("not measured");
    }

    private static Figure counting(int values) {
        return Figure.of(
                "counting",
                "ms",
                IntStream.rangeClosed(1, values).mapToObj(i -> (double) i).toList());
    }
}
