package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.parti.Parti;
import io.sfumato.models.tokenizer.VitVqGan;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * Trains a recipe from nothing to a {@code PartiPipeline} folder: words, tokenizer of pictures, codes of scenes, Transformer. Each stage
 * finds its own files in the run folder, so a run that was cut off goes on where it was.
 */
public final class TokenTrainer {
    private static final int AT_ONCE = 50;

    private final TokenRecipe recipe;
    private final Path run;
    private final Progress progress;

    public TokenTrainer(TokenRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /** Trains; {@code onSave} gets the model folder at each checkpoint of the Transformer. Returns it, {@code run/model}. */
    public Path train(Consumer<Path> onSave) {
        Path model = run.resolve("model"), vq = model.resolve("vq/model.safetensors");
        Example.Source scenes = recipe.data().open(1);
        ClipTokenizer words = recipe.tokenizer().learnt(scenes, model.resolve("tokenizer"));
        Parti.Config config = recipe.parti(words.vocabSize());
        configs(model, config);
        if (!Files.exists(vq)) {
            new VitVqGanTrainer(recipe, run, progress).train(scenes, vq);
        }
        try (SafeTensors file = SafeTensors.open(vq); Weights weights = Weights.load(file, DType.F32,
                Device.CPU); var scope = new Scope()) {
            VitVqGan vit = weights.build(w -> new VitVqGan(w, recipe.vit()), extra -> false);
            Tensor[] data = data(scenes, words, vit);
            new PartiTrainer(recipe, run, progress).train(config, data[0], data[1], model.resolve("transformer/model.safetensors"),
                    step -> {
                SampleSheet.draw(model, recipe.prompts(), run.resolve("samples-" + step + ".png"));
                onSave.accept(model);
            });
        }
        return model;
    }

    /** Texts (N, L), padded with 0, and codes (N, grid^2) of the recipe's scenes. */
    private Tensor[] data(Example.Source scenes, ClipTokenizer words, VitVqGan vit) {
        int n = recipe.transformer().scenes(), length = recipe.tokenizer().length(), places = (int) Math.pow(recipe.vit().height()
                / (double) recipe.vit().patch(), 2);
        long[] texts = new long[n * length], codes = new long[n * places];
        for (int from = 0; from < n; from += AT_ONCE) {
            List<Example> batch = LongStream.range(from, Math.min(n, from + AT_ONCE)).mapToObj(scenes::example).toList();
            try (var scope = new Scope(); var noGrad = new NoGrad()) {
                long[] written = vit.encode(AutoencoderTrainer.pictures(batch).add(1).mul(0.5)).toLongs();
                System.arraycopy(written, 0, codes, from * places, written.length);
            }
            for (int i = 0; i < batch.size(); i++) {
                int[] ids = words.ids(batch.get(i).caption());
                for (int j = 0; j < Math.min(length, ids.length); j++) {
                    texts[(from + i) * length + j] = ids[j] + 1;
                }
            }
            progress.step("codes", Math.min(n, from + AT_ONCE), n, Double.NaN);
        }
        return new Tensor[] {Tensor.of(texts, n, length), Tensor.of(codes, n, places)};
    }

    private void configs(Path model, Parti.Config c) {
        TokenRecipe.Pictures p = recipe.pictures();
        Map<String, Object> side = Map.of("dim", p.width(), "depth", p.layers(), "heads", p.heads(), "mlp_dim", p.mlp(),
                "dim_head", p.width() / p.heads());
        ConfigFiles.json(model.resolve("model_index.json"), Map.of("_class_name", "PartiPipeline"));
        ConfigFiles.json(model.resolve("vq/config.json"), Map.of("target", "ViTVQ", "params", Map.of("image_size", recipe.data().size(),
                "patch_size", p.patch(), "encoder", side, "decoder", side, "quantizer", Map.of("embed_dim", p.embed(), "n_embed",
                        p.codes()))));
        ConfigFiles.json(model.resolve("transformer/config.json"), Map.of("encoder_layers", c.encoderLayers(), "decoder_layers", c.decoderLayers(),
                "width", c.width(), "mlp", c.mlp(), "heads", c.heads(), "vocabulary", c.vocabulary(), "text_length", c.textLength(),
                "codes", c.codes(), "grid", c.grid(), "near", c.near()));
        ConfigFiles.json(model.resolve("sfumato.json"), Map.of("guidance", 3.0));
        ConfigFiles.nouns(model, recipe.data().nouns());
    }
}
