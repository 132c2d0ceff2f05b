package io.sfumato.training;

import io.sfumato.Listener;
import io.sfumato.families.TextIds;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.parti.Parti;
import io.sfumato.models.tokenizer.VitVqGan;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains a recipe from nothing to a {@code PartiPipeline} folder: words, tokenizer of pictures, codes of scenes, Transformer; where
 * the recipe has them, its encoder on captions alone before that and the tokenizer's decoder alone after. Each stage finds its own files in
 * the run folder, so a run that was cut off goes on where it was.
 */
public final class TokenTrainer {
    private final TokenRecipe recipe;
    private final Run run;

    public TokenTrainer(TokenRecipe recipe, Path run, Progress progress) {
        this(recipe, run, progress, ProcessGroup.alone());
    }

    /** The same by several processes: see {@link Trainer#Trainer(Recipe, Path, Progress, ProcessGroup)}. */
    public TokenTrainer(TokenRecipe recipe, Path run, Progress progress, ProcessGroup group) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, group);
    }

    /** Trains; {@code onSave} gets the model folder at each checkpoint of the Transformer. Returns it, {@code run/model}. */
    public Path train(Consumer<Path> onSave) {
        recipe.requireSharedBy(run.group().size(), run.folder());
        Path model = run.file("model"), vq = run.file(TokenRecipe.PICTURES), encoder = run.file(TokenRecipe.ENCODER);
        Example.Source scenes = recipe.data().open(1);
        run.once(() -> recipe.tokenizer().learnt(scenes, model.resolve("tokenizer")));
        TextIds words = TextIds.load(model.resolve("tokenizer"));
        Parti.Config config = recipe.parti(words.size());
        run.once(() -> configs(model, config));
        if (!Files.exists(vq)) {
            new VitVqGanTrainer(recipe, run).train(scenes, vq);
        }
        if (!Files.exists(encoder)) {
            recipe.captionsAlone().forEach(stage -> readCaptions(stage, words, scenes, config, encoder));
        }
        try (SafeTensors file = SafeTensors.open(vq); Weights weights = Weights.load(file, DType.F32,
                Device.CPU); var scope = new Scope()) {
            VitVqGan vit = weights.build(w -> new VitVqGan(w, recipe.vit()), extra -> false);
            TokenRecipe.Transformer c = recipe.transformer();
            SceneCodes data = SceneCodes.of(scenes, c.scenes(), words, recipe.tokenizer().length(), vit, run);
            new WriterTrainer(recipe.seed(), c.loop(), c.textDropout(), run).train(w -> {
                Parti parti = new Parti(w, config);
                recipe.captionsAlone().forEach(stage -> ModelFolder.begin(encoder, w.parameters()));
                return (ids, codes) -> loss(parti, ids, codes);
            }, "adafactor", data.texts(), data.codes(),
                    model.resolve("transformer/model.safetensors"), step -> {
                SampleSheet.draw(model, recipe.prompts(), run.file("samples-" + step + ".png"));
                onSave.accept(model);
            });
        }
        recipe.decoderAlone().forEach(stage -> {
            new VitVqGanTrainer(recipe, run).trainDecoder(stage, scenes, vq);
            SampleSheet.draw(model, recipe.prompts(), run.file("samples.png"));
            onSave.accept(model);
        });
        return model;
    }

    private void readCaptions(TokenRecipe.CaptionsAlone stage, TextIds words, Example.Source scenes, Parti.Config config, Path encoder) {
        try (Scope scope = new Scope()) {
            List<String> captions = Recipe.captions(scenes, stage.captions()).toList();
            Tensor texts = words.encode(captions, recipe.tokenizer().length(), Listener.none());
            new CaptionTrainer(recipe, stage, run).train(config, texts, encoder);
        }
    }

    /** Cross-entropy of the next code, averaged over all (Yu et al. 2022, 3). */
    private static Tensor loss(Parti parti, Tensor ids, Tensor codes) {
        Tensor start = Tensor.full(parti.config().start(), codes.size(0), 1).to(codes);
        Tensor read = Tensor.cat(1, start, codes.narrow(1, 0, codes.size(1) - 1));
        return CodebookLoss.nextToken(parti.decode(read, 0, parti.memory(ids), i -> Past.NONE), codes);
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
