package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.unclip.TextProjection;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Trains an unCLIP's networks one after the other (Ramesh et al. 2022, 2 and appendix C): the prior predicts the image embedding that it
 * sees under noise, the decoder and the network that enlarges the noise. CLIP is frozen. A run that was cut off goes on where it was.
 */
public final class UnclipTrainer {
    /** A Gaussian kernel of 3x3 and deviation 0.6, which blurs what is to be enlarged (appendix C). */
    private static final float SIDE = 0.1664f;
    private static final float MIDDLE = 1 - 2 * SIDE;

    private final UnclipRecipe recipe;
    private final Run run;
    private final Example.Source scenes;
    private final UnclipLoop loop;

    public UnclipTrainer(UnclipRecipe recipe, Path run, Progress progress) {
        this(recipe, run, progress, ProcessGroup.alone());
    }

    /** The same by several processes: see {@link Trainer#Trainer(Recipe, Path, Progress, ProcessGroup)}. */
    public UnclipTrainer(UnclipRecipe recipe, Path run, Progress progress, ProcessGroup group) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, group);
        scenes = recipe.data().open(1);
        loop = new UnclipLoop(recipe.seed(), this.run, scenes);
    }

    /** @return the model folder, {@code run/model}; {@code onSave} gets it at each checkpoint of the last network */
    public Path train(Consumer<Path> onSave) {
        UnclipFolder folder = new UnclipFolder(run.file("model"));
        run.once(() -> folder.begin(recipe, Path.of(recipe.clip())));
        try (FrozenClip clip = new FrozenClip(folder)) {
            new UnclipPriorTrainer(recipe, loop, scenes).train(clip, folder);
            trainDecoder(clip, folder);
            trainEnlarger(folder, () -> {
                SampleSheet.draw(folder.path(), recipe.prompts(), run.file("samples.png"));
                onSave.accept(folder.path());
            });
        }
        return folder.path();
    }

    private void trainDecoder(FrozenClip clip, UnclipFolder folder) {
        UnclipRecipe.Decoder r = recipe.decoder();
        try (Rng init = new Rng(recipe.seed() + 2); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            TextProjection projection = new TextProjection(weights.sub("text_proj"), TextProjection.Config.of(folder.config("text_proj")));
            GlideUNet unet = new GlideUNet(weights.sub("decoder"), GlideUNetConfig.of(folder.config("decoder")));
            UnclipLevels levels = UnclipLevels.of(folder, "decoder_scheduler");
            loop.run("decoder", 1, r.loop(), weights.parameters(), (batch, rng) -> {
                int b = batch.size();
                Tensor pictures = AutoencoderTrainer.pictures(batch), seen = clip.see(pictures);                    // (B, E)
                FrozenClip.Read read = clip.read(batch, rng.rand(b).lt(r.textDropout()));
                Tensor gone = rng.rand(b, 1).lt(r.imageDropout()).to(DType.F32);
                Tensor x0 = Functional.avgPool2d(pictures, recipe.data().size() / r.size());                        // (B, 3, s, s)
                Tensor t = levels.times(b, rng), eps = rng.randn(x0.shape()), x = levels.noisy(x0, eps, t);
                return (from, count) -> {
                    FrozenClip.Read part = read.part(from, count);
                    Tensor without = gone.narrow(0, from, count);
                    Tensor image = seen.narrow(0, from, count).mul(without.neg().add(1)).add(projection.noImage(count).mul(without));
                    TextProjection.Told told = projection.forward(image, part.embeddings(), part.states());
                    Tensor mask = Tensor.cat(1, Tensor.ones(count, projection.config().tokens()), part.mask());
                    Conditioning given = Conditioning.text(told.states()).with(Conditioning.Input.LABEL, told.label())
                            .with(Conditioning.Input.TEXT_MASK, mask);
                    Tensor guess = unet.forward(x.narrow(0, from, count), t.narrow(0, from, count), given);
                    return guess.sub(eps.narrow(0, from, count)).square().mean();
                };
            }, average -> {
                folder.write("text_proj", Loop.below("text_proj.", average));
                folder.write("decoder", Loop.below("decoder.", average));
            });
        }
    }

    private void trainEnlarger(UnclipFolder folder, Runnable onSave) {
        UnclipRecipe.Enlarger r = recipe.enlarger();
        try (Rng init = new Rng(recipe.seed() + 3); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            GlideUNet unet = new GlideUNet(weights, GlideUNetConfig.of(folder.config("super_res_first")));
            UnclipLevels levels = UnclipLevels.of(folder, "super_res_scheduler");
            int size = recipe.data().size();
            loop.run("enlarger", 2, r.loop(), weights.parameters(), (batch, rng) -> {
                Tensor pictures = AutoencoderTrainer.pictures(batch);
                Tensor small = blurred(Functional.avgPool2d(pictures, size / recipe.decoder().size()));
                Tensor[] parts = ImagenTrainer.parts(pictures, Functional.resizeBicubic(small, size, size), r.crop(), rng);
                Tensor x0 = parts[0], low = parts[1];                                                               // (B, 3, c, c)
                Tensor t = levels.times(batch.size(), rng), eps = rng.randn(x0.shape());
                Tensor x = Tensor.cat(1, levels.noisy(x0, eps, t), low);                                            // (B, 6, c, c)
                return (from, count) -> unet.forward(x.narrow(0, from, count), t.narrow(0, from, count), Conditioning.none())
                        .sub(eps.narrow(0, from, count)).square().mean();
            }, average -> {
                folder.write("super_res_first", average);
                folder.write("super_res_last", average);
                onSave.run();
            });
        }
    }

    private static Tensor blurred(Tensor x) {
        float[] line = {SIDE, MIDDLE, SIDE}, kernel = new float[9];
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] = line[i / 3] * line[i % 3];
        }
        Tensor weight = Tensor.of(kernel, 1, 1, 3, 3), none = Tensor.zeros(1);
        Tensor planes = x.reshape(x.size(0) * x.size(1), 1, x.size(2), x.size(3));
        Tensor inside = Functional.conv2d(Tensor.ones(1, 1, x.size(2), x.size(3)), weight, none, 1, 1);
        return Functional.conv2d(planes, weight, none, 1, 1).div(inside).view(x.shape());
    }
}
