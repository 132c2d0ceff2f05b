package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.models.unet.GlideUNetConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** What a model of the unCLIP kind will need: all its networks at once where they fit, else the largest of them. */
final class UnclipMemory {
    private UnclipMemory() {
    }

    static MemoryEstimate ofKandinsky(ModelFolder model, LoadOptions load, Prompt prompt, Options wanted) {
        KandinskyFolders folders = KandinskyFolders.of(model);
        Options o = wanted.sizedFor(prompt);
        int width = o.width() == Options.OF_MODEL ? folders.size() : o.width();
        int height = o.height() == Options.OF_MODEL ? folders.size() : o.height();
        int levels = folders.movq().widths().length - 1, rows = o.count() * (o.guidance() > 1 ? 2 : 1);
        double unet = DeepFloydMemory.numbers(folders.unet()) * (width >> levels) * (height >> levels) * rows;
        // Pictures are decoded one at a time: a residual block at full size holds its input and both halves, each normed and convolved.
        double movq = 6.0 * folders.movq().widths()[0] * width * height;
        return of(o.count(), width, height, parts(folders, load), Math.max(unet, movq) * load.dtype().bytes());
    }

    static MemoryEstimate ofKarlo(ModelFolder folder, LoadOptions load, Prompt prompt, Options o) {
        int small = Karlo.size(folder, "decoder"), large = Karlo.size(folder, "super_res_first");
        int width = o.width() == Options.OF_MODEL ? large : o.width(), height = o.height() == Options.OF_MODEL ? large : o.height();
        int guided = o.guidance() > 1 || o.unclip().priorGuidance() > 1 ? 2 : 1;
        double shrunk = (double) small / large, pixels = (double) o.count() * width * height;
        double decoder = DeepFloydMemory.numbers(GlideUNetConfig.of(folder.config("decoder"))) * pixels * shrunk * shrunk * guided;
        double enlarger = DeepFloydMemory.numbers(GlideUNetConfig.of(folder.config("super_res_first"))) * pixels;
        return of(o.count(), width, height, karlo(folder, load), Math.max(decoder, enlarger) * load.dtype().bytes());
    }

    private static MemoryEstimate of(int count, int width, int height, long[] parts, double activations) {
        long largest = LongStream.of(parts).max().orElse(0);
        long weights = weights(parts) <= MemoryEstimate.available() ? weights(parts) : largest;
        return new MemoryEstimate(count, width, height, weights, (long) activations);
    }

    /** Bytes of each network. */
    static long[] parts(KandinskyFolders folders, LoadOptions load) {
        return bytes(load, List.of(UnclipTexts.recipe(folders.prior(), load), UnclipDiffusionPrior.recipe(folders.prior(), load),
                UnclipImages.recipe(folders.prior(), load), Kandinsky.unet(folders, load), Kandinsky.movq(folders, load)));
    }

    /** Bytes of each network. */
    static long[] karlo(ModelFolder folder, LoadOptions load) {
        List<Part.Recipe<?>> recipes = new ArrayList<>(List.of(UnclipTexts.recipe(folder, load), Karlo.projection(folder, load),
                Karlo.unet(folder, "decoder", load), Karlo.unet(folder, "super_res_first", load),
                Karlo.unet(folder, "super_res_last", load)));
        if (Karlo.hasPrior(folder)) {
            recipes.add(UnclipPrior.recipe(folder, load));
        }
        if (Karlo.hasEyes(folder)) {
            recipes.add(UnclipImages.recipe(folder, load));
        }
        return bytes(load, recipes);
    }

    private static long[] bytes(LoadOptions load, List<Part.Recipe<?>> recipes) {
        return recipes.stream().mapToLong(recipe -> recipe.parameters() * load.dtype().bytes()).toArray();
    }

    static long weights(long[] parts) {
        return LongStream.of(parts).sum();
    }
}
