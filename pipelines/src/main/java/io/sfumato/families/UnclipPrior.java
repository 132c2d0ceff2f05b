package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Trace;
import io.sfumato.Unclip;
import io.sfumato.diffusion.Noise;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.tensor.Tensor;
import java.util.List;

/** What unCLIP does before it draws (Ramesh et al. 2022, 2.2): makes image embeddings of what CLIP reads in texts. */
interface UnclipPrior extends AutoCloseable {
    /**
     * Embeddings to sample.
     *
     * @param draws   picks the codes of priors that write some
     * @param noise   starts the others
     * @param preview what is shown while none can be seen
     */
    record Run(int rows, Draws draws, Noise noise, CascadeProgress progress, List<Image> preview) {
    }

    /** The prior of a folder, of the kind that its config names. */
    static UnclipPrior of(ModelFolder folder, String scheduling, UnclipTexts texts, LoadOptions load, boolean stays) {
        return writesCodes(folder) ? new UnclipCodesPrior(folder, texts, load, stays)
                : new UnclipDiffusionPrior(folder, scheduling, texts, load, stays);
    }

    static Part.Recipe<?> recipe(ModelFolder folder, LoadOptions load) {
        return writesCodes(folder) ? UnclipCodesPrior.recipe(folder, load) : UnclipDiffusionPrior.recipe(folder, load);
    }

    private static boolean writesCodes(ModelFolder folder) {
        return folder.config("prior").text("_class_name", "").equals(UnclipCodesPrior.CLASS);
    }

    /** Width of the image embeddings. */
    int width();

    /**
     * How often the network is called.
     *
     * @throws IllegalArgumentException for steps that the prior cannot take
     */
    int calls(Unclip o);

    /**
     * Image embeddings (rows, E), as CLIP has them.
     *
     * @param texts of as many rows, or of twice as many where they are guided, the unwanted ones first
     */
    Tensor sample(UnclipTexts.Read texts, Unclip o, Run run, Trace trace);

    @Override
    void close();
}
