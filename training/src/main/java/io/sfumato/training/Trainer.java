package io.sfumato.training;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Rng;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains a recipe from nothing to a model folder: tokenizer, autoencoder, cached latents, then text encoder and U-Net. Each stage
 * finds its own files in the run folder, so a run that was cut off goes on where it was.
 */
public final class Trainer {
    private final Recipe recipe;
    private final Run run;

    /** @param run where checkpoints, curves and the model go; a model that already lies there is trained on */
    public Trainer(Recipe recipe, Path run, Progress progress) {
        this(recipe, run, progress, ProcessGroup.alone());
    }

    /**
     * The same by several processes, each with a trainer of the same recipe and folder: they share each batch, and all have the same
     * weights at each step; the first one writes.
     */
    public Trainer(Recipe recipe, Path run, Progress progress, ProcessGroup group) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, group);
    }

    /**
     * Puts {@code model} in place as what a new run begins with: the tokenizer of a text encoder that is trained stays as it is, and so
     * does the autoencoder if the recipe keeps it; networks are trained on with a fresh optimiser. The recipe's networks must have the
     * model's sizes; only what the model does not have at all begins fresh.
     */
    public void start(Path model) {
        begin(folder -> folder.copyFrom(model, recipe));
    }

    /** Puts only the autoencoder of {@code model} in place, of the recipe's sizes; all else begins fresh. */
    public void startWithAutoencoder(Path model) {
        begin(folder -> folder.copyAutoencoder(model, recipe));
    }

    private void begin(Consumer<ModelFolder> copy) {
        run.once(() -> {
            // Whole or not at all: a run that was cut off in between would go on without what it should have begun with.
            Path part = run.folder().resolveSibling(run.folder().getFileName() + ".part");
            copy.accept(new ModelFolder(part.resolve("model")));
            try {
                Files.move(part, run.folder(), StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw new UncheckedIOException(run.folder() + ": a new run is wanted to begin with a model: " + e.getMessage(), e);
            }
        });
    }

    /**
     * Trains. At each checkpoint the run folder gets a chart of the losses; in the diffusion stage also {@code samples-STEP.png}, the
     * recipe's prompts as the model draws them now, and {@code onSave} gets the model folder.
     *
     * @return the model folder, {@code run/model}
     */
    public Path train(Consumer<Path> onSave) {
        ModelFolder folder = new ModelFolder(run.file("model"));
        Example.Source examples = recipe.data().open(1);
        run.once(() -> {
            ConfigFiles.create(folder.path());
            folder.writeConfigs(recipe, textConfig(examples, folder), 1);
        });
        Map<String, Object> textConfig = textConfig(examples, folder);
        AutoencoderKl.Config vaeConfig = AutoencoderKl.Config.of(config(folder, "vae"));
        if (!recipe.autoencoder().keeps() || !Files.exists(folder.weights("vae"))) {
            new AutoencoderTrainer(recipe, vaeConfig, run).train(examples, folder);
        }
        try (SafeTensors file = SafeTensors.open(folder.weights("vae")); Weights weights = Weights.load(file, DType.F32, Device.CPU);
                Rng init = new Rng(recipe.seed()); Weights textWeights = Weights.init(init, Device.CPU)) {
            AutoencoderKl vae = weights.build(w -> new AutoencoderKl(w, vaeConfig), extra -> false);
            try (LatentCache data = LatentCache.of(run, examples, vae, recipe.diffusion().scenes());
                    TextStates text = text(folder, textWeights, data.captions())) {
                run.once(() -> folder.writeConfigs(recipe, textConfig, data.scale()));
                new DiffusionTrainer(recipe, run).train(data, text, UNetConfig.of(config(folder, "unet")), folder, step -> {
                    SampleSheet.draw(folder.path(), recipe.prompts(), run.file("samples-" + step + ".png"));
                    onSave.accept(folder.path());
                });
            }
            recipe.upscaler().forEach(larger -> {
                new UpscalerTrainer(larger, recipe.seed(), run).train(recipe.data().open(larger.scale()), vae, folder);
                run.once(() -> folder.writeUpscaler(larger.config()));
            });
        }
        return folder.path();
    }

    private Map<String, Object> textConfig(Example.Source examples, ModelFolder folder) {
        return recipe.text() instanceof Recipe.Clip clip
                ? ModelFolder.text(clip, clip.tokenizer().learnt(examples, folder.path().resolve("tokenizer")))
                : ModelFolder.text((Recipe.Frozen) recipe.text());
    }

    private TextStates text(ModelFolder folder, Weights fresh, List<String> captions) {
        if (recipe.text() instanceof Recipe.Frozen frozen) {
            return FrozenStates.of(run, captions, frozen);
        }
        ClipText text = new ClipText(fresh, ClipText.Config.of(config(folder, "text_encoder")));
        folder.read("text_encoder", fresh.parameters());
        return TextStates.trained(ClipTokenizer.load(folder.path().resolve("tokenizer")), text, fresh.parameters(), captions);
    }

    private static ConfigJson config(ModelFolder folder, String component) {
        return ConfigJson.read(folder.path().resolve(component).resolve("config.json"));
    }
}
