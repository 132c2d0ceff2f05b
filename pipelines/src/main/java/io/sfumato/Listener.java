package io.sfumato;

import io.sfumato.image.Image;
import java.util.List;
import java.util.function.Supplier;

/** Hears how a generation goes on. Called on the generating thread; whatever it throws ends the generation. */
public interface Listener {
    /**
     * @param done     sampling steps done, from 1
     * @param total    of how many
     * @param timestep of the step, in the model's training time
     * @param preview  the pictures as the model now expects them; making them costs a decode
     */
    record Step(int done, int total, double timestep, Supplier<List<Image>> preview) {
    }

    default void onStep(Step step) {
    }

    /** Something that the user should know, in one line. */
    default void onWarning(String warning) {
    }

    /** Hears nothing. */
    static Listener none() {
        return new Listener() {
        };
    }
}
