package io.sfumato.training;

/** Is told of every training step. */
@FunctionalInterface
public interface Progress {
    /**
     * {@code done} of {@code total} steps of {@code stage} are done; {@code loss} is the last batch's (not a number where there is none).
     */
    void step(String stage, long done, long total, double loss);
}
