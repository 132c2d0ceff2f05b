package io.sfumato.training;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.hub.ClipFiles;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.models.clip.Clip;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An unCLIP's folder in the making, in the layout of Karlo with an image encoder beside the prior. */
record UnclipFolder(Path path) {
    private static final List<String> TOKENIZER = List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");

    /** Writes both towers of a CLIP and all configs. */
    void begin(UnclipRecipe recipe, Path clipFolder) {
        ClipFiles files = ClipFiles.open(clipFolder);
        Clip.Config clip = Clip.Config.of(files.config());
        requireFit(recipe, clipFolder, clip);
        copyClip(clipFolder, files);
        json("model_index.json", Map.of("_class_name", "UnCLIPPipeline"));
        json("sfumato.json", Map.of("steps", 25, "guidance", 3.0));
        ConfigFiles.nouns(path, recipe.data().nouns());
        UnclipRecipe.Prior p = recipe.prior();
        int embed = clip.text().projection();
        prior(p, embed, clip.text().positions());
        scheduler("decoder_scheduler", "epsilon", 1);
        scheduler("super_res_scheduler", "epsilon", 1);
        UnclipRecipe.Decoder d = recipe.decoder();
        json("text_proj/config.json", Map.of("_class_name", "UnCLIPTextProjModel", "clip_embeddings_dim", embed,
                "clip_extra_context_tokens", 4, "time_embed_dim", 4 * d.widths()[0], "cross_attention_dim", d.context()));
        Map<String, Object> decoder = unet("UNet2DConditionModel", d.size(), 3, d.widths(), d.layers(), d.headWidth(), d.groups());
        decoder.put("down_block_types", levels("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D", d.widths().length));
        List<String> up = levels("ResnetUpsampleBlock2D", "SimpleCrossAttnUpBlock2D", d.widths().length);
        Collections.reverse(up);
        decoder.put("up_block_types", up);
        decoder.put("mid_block_type", "UNetMidBlock2DSimpleCrossAttn");
        decoder.put("cross_attention_dim", d.context());
        decoder.put("class_embed_type", "identity");
        json("decoder/config.json", decoder);
        UnclipRecipe.Enlarger e = recipe.enlarger();
        Map<String, Object> enlarger = unet("UNet2DModel", recipe.data().size(), 6, e.widths(), e.layers(), e.headWidth(), e.groups());
        enlarger.put("down_block_types", Collections.nCopies(e.widths().length, "ResnetDownsampleBlock2D"));
        enlarger.put("up_block_types", Collections.nCopies(e.widths().length, "ResnetUpsampleBlock2D"));
        json("super_res_first/config.json", enlarger);
        json("super_res_last/config.json", enlarger);
    }

    private void prior(UnclipRecipe.Prior p, int embed, int tokens) {
        Map<String, Object> json = new LinkedHashMap<>(Map.of("num_attention_heads", p.heads(), "attention_head_dim", p.headWidth(),
                "num_layers", p.layers(), "embedding_dim", embed, "num_embeddings", tokens));
        if (p.codes().isEmpty()) {
            json.put("_class_name", "PriorTransformer");
            json.put("additional_embeddings", 4);
            scheduler("prior_scheduler", "sample", 5);
        } else {
            UnclipRecipe.Codes c = p.codes().get(0);
            json.put("_class_name", "AutoregressivePrior");
            json.put("num_components", c.components());
            json.put("num_buckets", c.buckets());
            json.put("num_agreements", c.agreements());
        }
        json("prior/config.json", json);
    }

    private static void requireFit(UnclipRecipe recipe, Path clipFolder, Clip.Config clip) {
        if (clip.vision().size() != recipe.data().size()) {
            throw new CheckpointException(clipFolder + ": this CLIP sees pictures of " + clip.vision().size() + " pixels, where the "
                    + recipe.data().size() + " of the recipe's data are wanted");
        }
        if (clip.text().width() != clip.text().projection()) {
            throw new CheckpointException(clipFolder + ": this CLIP's text states have " + clip.text().width() + " numbers and its "
                    + "embeddings " + clip.text().projection() + ", where as many of both are wanted");
        }
        if (!Files.exists(clipFolder.resolve(TOKENIZER.get(0)))) {
            throw new CheckpointException(clipFolder + ": there is no vocab.json: a folder of transformers' CLIPModel is wanted");
        }
    }

    private void copyClip(Path clipFolder, ClipFiles files) {
        ObjectNode text = files.config().json().get("text_config").deepCopy();
        ObjectNode vision = files.config().json().get("vision_config").deepCopy();
        int projection = files.config().integer("projection_dim", 512);
        text.put("projection_dim", projection).putArray("architectures").add("CLIPTextModelWithProjection");
        vision.put("projection_dim", projection).putArray("architectures").add("CLIPVisionModelWithProjection");
        ConfigFiles.text(path.resolve("text_encoder/config.json"), text.toPrettyString() + "\n");
        ConfigFiles.text(path.resolve("image_encoder/config.json"), vision.toPrettyString() + "\n");
        ConfigFiles.text(path.resolve("feature_extractor/preprocessor_config.json"), files.pixels().json().toPrettyString() + "\n");
        ConfigFiles.create(path.resolve("tokenizer"));
        try (TensorSource source = files.weights().get(); Scope scope = new Scope()) {
            for (String name : TOKENIZER) {
                if (Files.exists(clipFolder.resolve(name))) {
                    Files.copy(clipFolder.resolve(name), path.resolve("tokenizer").resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            SafeTensors.write(weights("text_encoder"), below(source, "text"), Map.of("format", "pt"));
            SafeTensors.write(weights("image_encoder"), below(source, "vis"), Map.of("format", "pt"));
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": the CLIP cannot be copied: " + e.getMessage(), e);
        }
    }

    private static Map<String, Tensor> below(TensorSource source, String tower) {
        Map<String, Tensor> some = new LinkedHashMap<>();
        source.names().stream().filter(name -> name.startsWith(tower)).sorted().forEach(name -> some.put(name, source.get(name)));
        return some;
    }

    private static Map<String, Object> unet(String kind, int size, int in, int[] widths, int layers, int headWidth, int groups) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("_class_name", kind);
        json.put("sample_size", size);
        json.put("in_channels", in);
        json.put("out_channels", 3);
        json.put("block_out_channels", widths);
        json.put("layers_per_block", layers);
        json.put("attention_head_dim", headWidth);
        json.put("norm_num_groups", groups);
        json.put("resnet_time_scale_shift", "scale_shift");
        return json;
    }

    private static List<String> levels(String first, String others, int count) {
        List<String> all = new ArrayList<>(Collections.nCopies(count, others));
        all.set(0, first);
        return all;
    }

    private void scheduler(String component, String prediction, double range) {
        json(component + "/scheduler_config.json", Map.of("_class_name", "UnCLIPScheduler", "num_train_timesteps", 1000, "variance_type",
                "fixed_small_log", "clip_sample", true, "clip_sample_range", range, "prediction_type", prediction));
    }

    private void json(String file, Map<String, Object> values) {
        ConfigFiles.json(path.resolve(file), values);
    }

    ConfigJson config(String component) {
        return ConfigJson.read(path.resolve(component).resolve("config.json"));
    }

    Path weights(String component) {
        boolean tower = component.endsWith("_encoder");
        return path.resolve(component).resolve(tower ? "model.safetensors" : "diffusion_pytorch_model.safetensors");
    }

    void write(String component, Map<String, Tensor> parameters) {
        try (Scope scope = new Scope()) {
            Map<String, Tensor> plain = new LinkedHashMap<>();
            parameters.forEach((name, x) -> plain.put(name, x.detach().contiguous()));
            SafeTensors.write(weights(component), plain, Map.of("format", "pt"));
        }
    }
}
