package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.LoadOptions;
import io.sfumato.NotEnoughMemory;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemoryEstimateTest {
    private final ModelFolder folder = new ModelFolder(Path.of("src/test/resources/golden/sd1/model"));

    private MemoryEstimate of(Options options) {
        return Families.memory(folder, LoadOptions.defaults(), Prompt.of(""), options);
    }

    @Test
    void weightsAreThoseOfTheFiles() {
        // The files hold little besides their float32 tensors.
        long files = 209_808 + 235_640 + 187_564;
        assertThat(of(Options.defaults()).weights()).isBetween(files * 9 / 10, files);
        var halves = new LoadOptions(DType.BF16, Device.CPU);
        assertThat(Families.memory(folder, halves, Prompt.of(""), Options.defaults()).weights()).isEqualTo(of(Options.defaults()).weights() / 2);
    }

    @Test
    void activationsGrowWithTheAreaAndTheBatch() {
        MemoryEstimate one = of(Options.defaults().withSize(512, 512));
        assertThat(of(Options.defaults().withSize(1024, 512)).activations()).isBetween(one.activations() * 2 - 8, one.activations() * 2 + 8);
        assertThat(of(Options.defaults().withSize(512, 512).withCount(8)).activations()).isGreaterThan(one.activations() * 2);
        assertThat(of(Options.defaults()).activations()).isEqualTo(of(Options.defaults().withSize(32, 32)).activations());
    }

    @Test
    void refusesWhatDoesNotFit() {
        MemoryEstimate estimate = new MemoryEstimate(1, 512, 512, 3L << 30, 2L << 30);
        assertThatCode(() -> estimate.require(6L << 30)).doesNotThrowAnyException();
        assertThatThrownBy(() -> estimate.require(4L << 30)).isInstanceOf(NotEnoughMemory.class)
                .hasMessage("not enough memory: 1 picture of 512x512 needs about 5.3 GiB, 4.0 GiB are available;"
                        + " a smaller size or fewer pictures at once need less");
        assertThat(MemoryEstimate.available()).isPositive();
    }
}
