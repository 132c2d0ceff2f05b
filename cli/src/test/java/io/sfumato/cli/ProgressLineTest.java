package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    @Test
    void countsStepsOnOneLineAndClearsIt() {
        StringWriter text = new StringWriter();
        try (ProgressLine line = new ProgressLine(new PrintWriter(text), true)) {
            line.step("drawing", 1, 2, "");
            line.step("drawing", 2, 2, "loss 0.5");
        }
        assertThat(text.toString()).startsWith("\rdrawing 1/2 [###############...............]")
                .contains("\rdrawing 2/2 [" + "#".repeat(30) + "] 0:00 left loss 0.5").endsWith(" \r").doesNotContain("\n");
    }

    @Test
    void isSilentWhereThereIsNoTerminal() {
        StringWriter text = new StringWriter();
        try (ProgressLine line = new ProgressLine(new PrintWriter(text), false)) {
            line.step("drawing", 1, 2, "");
        }
        assertThat(text.toString()).isEmpty();
    }

    @Test
    void writesTimesAsClocksDo() {
        assertThat(ProgressLine.time(5)).isEqualTo("0:05");
        assertThat(ProgressLine.time(3599)).isEqualTo("59:59");
        assertThat(ProgressLine.time(3661)).isEqualTo("1:01:01");
    }
}
