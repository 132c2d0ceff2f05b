package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.diffusion.Step;
import io.sfumato.tensor.Tensor;

/** The steps of all stages of a cascade as one run. */
final class CascadeProgress implements Step.Listener {
    private final Listener listener;
    private final int total;
    private int done;

    CascadeProgress(Listener listener, int total) {
        this.listener = listener;
        this.total = total;
    }

    @Override
    public Tensor onStep(Step step) {
        listener.onStep(new Listener.Step(++done, total, step.timestep(),
                () -> StableDiffusionPixels.images(step.x0().mul(0.5).add(0.5).clamp(0, 1))));
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
