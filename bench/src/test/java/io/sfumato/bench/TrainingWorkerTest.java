package io.sfumato.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import org.junit.jupiter.api.Test;

class TrainingWorkerTest {
    /**
     * Losses as PyTorch 2.15 and diffusers 0.42.1 have them ({@code training.py}'s own side, batches of 2). AdamW's first updates are as
     * large where a gradient is nothing but rounding.
     */
    @Test
    void takesTheStepsThatPyTorchTakes() {
        try (TrainingWorker worker = new TrainingWorker(2)) {
            assertThat(worker.step()).isCloseTo(1.5473855, withPercentage(0.001));
            assertThat(worker.step()).isCloseTo(1.7627013, withPercentage(0.1));
            assertThat(worker.step()).isCloseTo(1.1719916, withPercentage(10));
        }
    }
}
