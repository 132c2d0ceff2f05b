package io.sfumato.families;

import io.sfumato.HiresUpscaler;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import java.util.List;
import java.util.function.ToLongBiFunction;

/**
 * A model of which is known what drawing will take.
 *
 * @param activations bytes above the weights
 */
record Foretold(TextToImage model, ToLongBiFunction<Prompt, Options> activations) implements TextToImage {
    @Override
    public Options defaults() {
        return model.defaults();
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        return model.complete(prompt, wanted);
    }

    @Override
    public List<Image> generate(List<Prompt> prompts, Options options, Listener listener, Trace trace) {
        return model.generate(prompts, options, listener, trace);
    }

    @Override
    public List<Image> generate(List<Prompt> prompts, Options first, HiresUpscaler.OfLatents upscaler, Options second,
            Listener listener, Trace trace) {
        return model.generate(prompts, first, upscaler, second, listener, trace);
    }

    /** Half of what is left, since mapped weights that are not yet read count as left. */
    @Override
    public boolean fits(Prompt prompt, Options options) {
        return 2 * activations.applyAsLong(prompt, options) <= MemoryEstimate.available();
    }

    @Override
    public void close() {
        model.close();
    }
}
