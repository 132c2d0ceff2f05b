package io.sfumato.training;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.text.BpeTrainer;
import io.sfumato.text.ClipTokenizer;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Scenes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * Trains a recipe from nothing to a model folder: tokenizer, autoencoder, cached latents, then text encoder and U-Net. Each stage
 * finds its own files in the run folder, so a run that was cut off goes on where it was.
 */
public final class Trainer {
    private final Recipe recipe;
    private final Path run;
    private final Progress progress;

    /** @param run where checkpoints, curves and the model go; a model that already lies there is trained on */
    public Trainer(Recipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /**
     * Puts {@code model} in place as what a new run begins with: its tokenizer and autoencoder stay as they are, its text encoder and
     * U-Net are trained on with a fresh optimiser.
     *
     * @throws io.sfumato.io.CheckpointException if its networks are not of the recipe's sizes
     */
    public void start(Path model) {
        new ModelFolder(run.resolve("model")).copyFrom(model, recipe);
    }

    /**
     * Trains. At each checkpoint the run folder gets a chart of the losses; in the diffusion stage also {@code samples-STEP.png}, the
     * recipe's prompts as the model draws them now, and {@code onSave} gets the model folder.
     *
     * @return the model folder, {@code run/model}
     */
    public Path train(Consumer<Path> onSave) {
        ModelFolder folder = new ModelFolder(run.resolve("model"));
        try {
            Files.createDirectories(folder.path());
        } catch (IOException e) {
            throw new UncheckedIOException(folder.path() + ": cannot be made: " + e.getMessage(), e);
        }
        String clipart = recipe.scenes().clipart();
        Scenes scenes = new Scenes(recipe.scenes().config(), clipart.isEmpty() ? ClipArt.bundled() : ClipArt.load(Path.of(clipart)));
        ClipTokenizer tokenizer = tokenizer(scenes, folder.path().resolve("tokenizer"));
        folder.writeConfigs(recipe, tokenizer, 1);
        AutoencoderKl.Config vaeConfig = AutoencoderKl.Config.of(config(folder, "vae"));
        if (!Files.exists(folder.weights("vae"))) {
            new AutoencoderTrainer(recipe, vaeConfig, run, progress).train(scenes, folder);
        }
        try (SafeTensors file = SafeTensors.open(folder.weights("vae")); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            AutoencoderKl vae = weights.build(w -> new AutoencoderKl(w, vaeConfig), extra -> false);
            try (LatentCache data = LatentCache.of(run, scenes, vae, recipe.diffusion().scenes(), progress)) {
                folder.writeConfigs(recipe, tokenizer, data.scale());
                new DiffusionTrainer(recipe, run, progress).train(data, tokenizer, ClipText.Config.of(config(folder, "text_encoder")),
                        UNetConfig.of(config(folder, "unet")), folder, step -> {
                            SampleSheet.draw(folder.path(), recipe.prompts(), run.resolve("samples-" + step + ".png"));
                            onSave.accept(folder.path());
                        });
            }
        }
        return folder.path();
    }

    private ClipTokenizer tokenizer(Scenes scenes, Path folder) {
        if (!Files.exists(folder.resolve("vocab.json"))) {
            var captions = LongStream.range(0, recipe.tokenizer().captions()).mapToObj(seed -> scenes.scene(seed).caption());
            new BpeTrainer(recipe.tokenizer().tokens(), recipe.tokenizer().length()).train(captions, folder);
        }
        return ClipTokenizer.load(folder);
    }

    private static ConfigJson config(ModelFolder folder, String component) {
        return ConfigJson.read(folder.path().resolve(component).resolve("config.json"));
    }
}
