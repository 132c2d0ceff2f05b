package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.diffusion.Step;
import io.sfumato.image.Image;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.Function;

/** The steps of all stages of a cascade as one run. */
final class CascadeProgress implements Step.Listener {
    private final Listener listener;
    private final int total;
    private int done;

    CascadeProgress(Listener listener, int total) {
        this.listener = listener;
        this.total = total;
    }

    /** A step whose x0 is a picture in [-1, 1]. */
    @Override
    public Tensor onStep(Step step) {
        return onStep(step, x0 -> StableDiffusionPixels.images(x0.mul(0.5).add(0.5).clamp(0, 1)));
    }

    /** A step of whose x0 {@code preview} makes pictures. */
    Tensor onStep(Step step, Function<Tensor, List<Image>> preview) {
        listener.onStep(new Listener.Step(++done, total, step.timestep(), () -> preview.apply(step.x0())));
        return step.x();
    }

    /** Hears a further model's steps as the last ones of the run. */
    Listener rest() {
        int before = done;
        return new Listener() {
            @Override
            public void onStep(Step step) {
                listener.onStep(new Step(Math.min(before + step.done(), total), total, step.timestep(), step.preview()));
            }

            @Override
            public void onWarning(String warning) {
                listener.onWarning(warning);
            }
        };
    }
}
