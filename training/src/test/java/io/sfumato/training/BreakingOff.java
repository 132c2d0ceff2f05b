package io.sfumato.training;

/** What ends a training in its middle, as a test of going on wants it. */
final class BreakingOff {
    private BreakingOff() {
    }

    /** @throws IllegalStateException from the training, when {@code at} steps of {@code stage} are done */
    static Progress in(String stage, long at) {
        return (now, done, total, loss) -> {
            if (now.equals(stage) && done == at) {
                throw new IllegalStateException("broken off");
            }
        };
    }
}
