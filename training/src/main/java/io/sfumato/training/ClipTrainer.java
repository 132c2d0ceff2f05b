package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.Clip;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains CLIP (Radford et al. 2021, figure 3) to find in each batch which text belongs to which picture; scenes are drawn as they are
 * needed, none twice. Writes transformers' folder of a {@code CLIPModel}. A run that was cut off goes on where it was.
 */
public final class ClipTrainer {
    private static final List<Double> HALVES = List.of(0.5, 0.5, 0.5);

    private final ClipRecipe recipe;
    private final Run run;

    public ClipTrainer(ClipRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, ProcessGroup.alone());
    }

    /** Trains; {@code onSave} gets the model folder at each checkpoint. Returns it, {@code run/model}. */
    public Path train(Consumer<Path> onSave) {
        Path model = run.file("model");
        Example.Source scenes = recipe.data().open(1);
        ClipTokenizer words = recipe.tokenizer().learnt(scenes, model);
        Clip.Config config = recipe.config(words.vocabSize(), words.eosId());
        configs(model, config);
        ConfigFiles.nouns(model, recipe.data().nouns());
        int b = recipe.loop().batch();
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU)) {
            Clip clip = new Clip(weights, config);
            try (Loop loop = new Loop(run, "clip", recipe.loop(), recipe.seed(), weights.parameters());
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, b, loop.done() * b)) {
                loop.showing("loss", "scale", "gradient", "rate").run((step, rng) -> {
                    List<Example> batch = batches.next();
                    Tensor ids = Tensor.stack(0, batch.stream().map(each -> Tensor.of(words.encode(each.caption()).ids()))
                            .toArray(Tensor[]::new));                                                       // (B, L)
                    Tensor loss = clip.loss(AutoencoderTrainer.pictures(batch), ids);
                    loss.backward();
                    return new Loop.Taken(loss.item(), Map.of("scale", clip.scale().item()), () -> { });
                }, () -> SafeTensors.write(model.resolve("model.safetensors"), loop.average(), Map.of("format", "pt")),
                        done -> onSave.accept(model));
            }
        }
        return model;
    }

    private static void configs(Path model, Clip.Config c) {
        ConfigFiles.json(model.resolve("config.json"), Map.of("architectures", List.of("CLIPModel"), "model_type", "clip",
                "projection_dim", c.text().projection(),
                "text_config", Map.of("vocab_size", c.text().vocabulary(), "max_position_embeddings", c.text().positions(),
                        "hidden_size", c.text().width(), "intermediate_size", c.text().hidden(), "num_hidden_layers", c.text().layers(),
                        "num_attention_heads", c.text().heads(), "hidden_act", "gelu", "eos_token_id", c.text().endToken()),
                "vision_config", Map.of("image_size", c.vision().size(), "patch_size", c.vision().patch(),
                        "hidden_size", c.vision().width(), "intermediate_size", c.vision().hidden(),
                        "num_hidden_layers", c.vision().layers(), "num_attention_heads", c.vision().heads(), "hidden_act", "gelu")));
        int size = c.vision().size();
        ConfigFiles.json(model.resolve("preprocessor_config.json"), Map.of("image_processor_type", "CLIPImageProcessor", "resample", 3,
                "size", Map.of("shortest_edge", size), "crop_size", Map.of("height", size, "width", size), "do_resize", true,
                "do_center_crop", true, "do_rescale", true, "do_normalize", true, "image_mean", HALVES, "image_std", HALVES));
    }
}
