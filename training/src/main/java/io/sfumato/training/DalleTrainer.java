package io.sfumato.training;

import io.sfumato.families.TextIds;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.dalle.Dalle;
import io.sfumato.models.tokenizer.DVae;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains a recipe from nothing to a {@code DallePipeline} folder: words, discrete VAE, codes of scenes, Transformer. Each stage finds its
 * own files in the run folder, so a run that was cut off goes on where it was.
 */
public final class DalleTrainer {
    private final DalleRecipe recipe;
    private final Run run;

    public DalleTrainer(DalleRecipe recipe, Path run, Progress progress) {
        this(recipe, run, progress, ProcessGroup.alone());
    }

    /** The same by several processes: see {@link Trainer#Trainer(Recipe, Path, Progress, ProcessGroup)}. */
    public DalleTrainer(DalleRecipe recipe, Path run, Progress progress, ProcessGroup group) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, group);
    }

    /** Trains; {@code onSave} gets the model folder at each checkpoint of the Transformer. Returns it, {@code run/model}. */
    public Path train(Consumer<Path> onSave) {
        recipe.requireSharedBy(run.group().size(), run.folder());
        Path model = run.file("model"), last = run.file(DalleRecipe.PICTURES), dvae = last.getParent();
        Example.Source scenes = recipe.data().open(1);
        run.once(() -> recipe.tokenizer().learnt(scenes, model.resolve("tokenizer")));
        TextIds words = TextIds.load(model.resolve("tokenizer"));
        Dalle.Config config = recipe.dalle(words.size());
        run.once(() -> configs(model, config));
        if (!Files.exists(last)) {
            new DVaeTrainer(recipe, run).train(scenes, dvae);
        }
        try (SafeTensors coder = SafeTensors.open(dvae.resolve("encoder.safetensors")); SafeTensors drawer = SafeTensors.open(last);
                Weights encoder = Weights.load(coder, DType.F32, Device.CPU); Weights decoder = Weights.load(drawer, DType.F32, Device.CPU);
                var scope = new Scope()) {
            DalleRecipe.Transformer c = recipe.transformer();
            SceneCodes data = SceneCodes.of(scenes, c.scenes(), words, recipe.tokenizer().length(),
                    DVae.load(encoder, decoder, recipe.discrete().config()), run);
            new WriterTrainer(recipe.seed(), c.loop(), 0, run).train(w -> new Dalle(w, config)::loss,
                    "adamw", data.texts(), data.codes(),
                    model.resolve("transformer/model.safetensors"), step -> {
                SampleSheet.draw(model, recipe.prompts(), run.file("samples-" + step + ".png"));
                onSave.accept(model);
            });
        }
        return model;
    }

    private void configs(Path model, Dalle.Config c) {
        Map<String, Object> transformer = new LinkedHashMap<>();
        transformer.put("layers", c.layers());
        transformer.put("width", c.width());
        transformer.put("heads", c.heads());
        transformer.put("vocabulary", c.vocabulary());
        transformer.put("text_length", c.textLength());
        transformer.put("codes", c.codes());
        transformer.put("grid", c.grid());
        transformer.put("window", c.window());
        ConfigFiles.json(model.resolve("model_index.json"), Map.of("_class_name", "DallePipeline"));
        ConfigFiles.json(model.resolve("transformer/config.json"), transformer);
        ConfigFiles.nouns(model, recipe.data().nouns());
    }
}
