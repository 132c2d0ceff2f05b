package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.models.unet.GlideUNetConfig;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** What a {@link DeepFloyd} will need: all its networks at once where they fit, else the largest of them. */
final class DeepFloydMemory {
    private DeepFloydMemory() {
    }

    static MemoryEstimate of(ModelFolder folder, LoadOptions load, Prompt prompt, Options wanted) {
        DeepFloydFolders folders = DeepFloydFolders.of(folder);
        Options o = folders.sized(prompt, wanted);
        MemoryEstimate together = together(folders, load, prompt, o);
        return together.total() <= MemoryEstimate.available() ? together
                : together.withWeights(weights(folders, load, o).max().orElse(0));
    }

    /** Whether all networks can stay in memory while a picture of the usual size is drawn. */
    static boolean fitTogether(DeepFloydFolders folders, LoadOptions load) {
        Options o = Options.defaults().withSize(folders.largest(), folders.largest());
        return together(folders, load, Prompt.of(""), o).total() <= MemoryEstimate.available();
    }

    private static MemoryEstimate together(DeepFloydFolders folders, LoadOptions load, Prompt prompt, Options o) {
        double most = 0;
        List<int[]> sizes = folders.sizes(prompt, o);
        for (int i = 0; i < sizes.size(); i++) {
            GlideUNetConfig config = DeepFloydStage.config(folders.stages().get(i));
            most = Math.max(most, numbers(config) * sizes.get(i)[0] * sizes.get(i)[1] * o.count() * (o.guidance() > 1 ? 2 : 1));
        }
        long activations = Math.max((long) (most * load.dtype().bytes()),
                enlargers(folders, load, o).mapToLong(MemoryEstimate::activations).sum());
        return new MemoryEstimate(o.count(), o.width(), o.height(), weights(folders, load, o).sum(), activations);
    }

    /** Bytes of each network. */
    private static LongStream weights(DeepFloydFolders folders, LoadOptions load, Options o) {
        return LongStream.concat(LongStream.of(T5Prompts.bytes(folders.text(), load)), LongStream.concat(
                folders.stages().stream().mapToLong(stage -> unet(stage, load)),
                enlargers(folders, load, o).mapToLong(MemoryEstimate::weights)));
    }

    private static Stream<MemoryEstimate> enlargers(DeepFloydFolders folders, LoadOptions load, Options o) {
        return folders.enlarger().stream()
                .map(enlarger -> StableDiffusionMemory.of(enlarger, load, List.of("text_encoder", "unet", "vae"), o.width(), o.height(),
                        o));
    }

    private static long unet(ModelFolder stage, LoadOptions load) {
        return DeepFloydStage.recipe(stage, load).parameters() * load.dtype().bytes();
    }

    /** Numbers for each pixel: the skips of all levels, and what the widest block works with. */
    static double numbers(GlideUNetConfig c) {
        double skips = c.widths()[0], widest = 0;
        for (int i = 0; i < c.widths().length; i++) {
            double pixels = Math.pow(0.25, i);
            int below = c.widths()[Math.min(i + 1, c.widths().length - 1)];
            skips += pixels * (c.layers()[i] + 1) * c.widths()[i];
            // A residual block: its input and both halves of it, twice normed and convolved; attention: norm, projections, result.
            widest = Math.max(widest, pixels * (3.0 * (c.widths()[i] + below) + 8.0 * c.widths()[i]));
        }
        return skips + widest;
    }
}
