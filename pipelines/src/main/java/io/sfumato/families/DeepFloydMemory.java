package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.models.unet.GlideUNetConfig;
import java.util.List;

/** What a {@link DeepFloyd} will need: all its networks at once where they fit, else the largest of them. */
final class DeepFloydMemory {
    private DeepFloydMemory() {
    }

    static MemoryEstimate of(ModelFolder folder, LoadOptions load, Prompt prompt, Options wanted) {
        DeepFloydFolders folders = DeepFloydFolders.of(folder);
        Options o = folders.sized(prompt, wanted);
        double most = 0;
        List<int[]> sizes = folders.sizes(o);
        for (int i = 0; i < sizes.size(); i++) {
            GlideUNetConfig config = DeepFloydStage.config(folders.stages().get(i));
            most = Math.max(most, numbers(config) * sizes.get(i)[0] * sizes.get(i)[1] * o.count() * (o.guidance() > 1 ? 2 : 1));
        }
        MemoryEstimate together = allTogether(folders, load);
        long weights = together.total() <= MemoryEstimate.available() ? together.weights() : largest(folders, load);
        return new MemoryEstimate(o.count() + (o.count() == 1 ? " picture of " : " pictures of ") + o.width() + "x" + o.height(),
                weights, (long) (most * load.dtype().bytes()));
    }

    /** All networks of IF itself. */
    static MemoryEstimate allTogether(DeepFloydFolders folders, LoadOptions load) {
        long weights = T5Prompts.bytes(folders.text(), load);
        for (ModelFolder stage : folders.stages()) {
            weights += unet(stage, load);
        }
        return new MemoryEstimate(folders.all() + " stages", weights, 0);
    }

    private static long largest(DeepFloydFolders folders, LoadOptions load) {
        long text = T5Prompts.bytes(folders.text(), load);
        return Math.max(text, folders.stages().stream().mapToLong(stage -> unet(stage, load)).max().orElse(0));
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
