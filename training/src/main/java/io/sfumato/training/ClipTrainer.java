package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.Clip;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
    private final Path run;
    private final Progress progress;

    public ClipTrainer(ClipRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /** Trains; {@code onSave} gets the model folder at each checkpoint. Returns it, {@code run/model}. */
    public Path train(Consumer<Path> onSave) {
        Path model = run.resolve("model"), losses = run.resolve("clip.csv");
        Example.Source scenes = recipe.data().open(1);
        ClipTokenizer words = recipe.tokenizer().learnt(scenes, model);
        Clip.Config config = recipe.config(words.vocabSize(), words.eosId());
        configs(model, config);
        Recipe.Loop loop = recipe.loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("clip.safetensors"));
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "scale", "gradient", "rate")) {
            Clip clip = new Clip(weights, config);
            try (AdamW optimizer = new AdamW(weights.parameters(), loop.decay(), loop.clip());
                    Ema ema = new Ema(weights.parameters(), loop.ema());
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, loop.batch(),
                            checkpoint.steps() * loop.batch())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                for (long step = checkpoint.restore(state); step < loop.steps(); step++) {
                    try (Scope scope = new Scope()) {
                        List<Example> batch = batches.next();
                        Tensor ids = Tensor.stack(0, batch.stream().map(each -> Tensor.of(words.encode(each.caption()).ids()))
                                .toArray(Tensor[]::new));                                                       // (B, L)
                        Tensor loss = clip.loss(AutoencoderTrainer.pictures(batch), ids);
                        loss.backward();
                        double gradient = optimizer.step(step + 1, loop.schedule().at(step));
                        ema.update(step);
                        curve.add(step, loss.item(), clip.scale().item(), gradient, loop.schedule().at(step));
                        progress.step("clip", step + 1, loop.steps(), loss.item());
                    }
                    if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                        SafeTensors.write(model.resolve("model.safetensors"), ema.average(), Map.of("format", "pt"));
                        checkpoint.save(step + 1, state);
                        CurveChart.draw(losses, run.resolve("clip.png"));
                        onSave.accept(model);
                    }
                }
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
