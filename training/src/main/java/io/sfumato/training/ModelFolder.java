package io.sfumato.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.families.MiniLm;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.models.upscaler.Upscaler;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a model in the layout of a diffusers folder, weights in float16: what {@code --model} reads. */
record ModelFolder(Path path) {
    private static final ObjectMapper JSON = new ObjectMapper();

    Path weights(String component) {
        String name = component.equals("text_encoder") ? "model.safetensors" : "diffusion_pytorch_model.safetensors";
        return path.resolve(component).resolve(name);
    }

    /** The noise that the model is trained on, as the folder says it to samplers. */
    SchedulerConfig scheduler() {
        return SchedulerConfig.of(JsonFile.read(path.resolve("scheduler/scheduler_config.json")));
    }

    /**
     * Copies the weights of another such folder, and with a text encoder that is trained its tokenizer.
     *
     * @throws CheckpointException if its networks are not of the recipe's sizes
     */
    void copyFrom(Path model, Recipe recipe) {
        List<String> components = new ArrayList<>(List.of("vae", "unet"));
        requireSameAutoencoder(model, recipe);
        requireSame(model.resolve("unet/config.json"), unet(recipe), "");
        if (recipe.text() instanceof Recipe.Clip clip) {
            requireSame(model.resolve("text_encoder/config.json"), text(clip, ClipTokenizer.load(model.resolve("tokenizer"))), "");
            components.add("text_encoder");
            for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
                copy(model.resolve("tokenizer").resolve(file), path.resolve("tokenizer").resolve(file));
            }
        }
        components.forEach(component -> copy(new ModelFolder(model).weights(component), weights(component)));
    }

    /**
     * Copies the autoencoder's weights of another such folder.
     *
     * @throws CheckpointException if it is not of the recipe's sizes
     */
    void copyAutoencoder(Path model, Recipe recipe) {
        requireSameAutoencoder(model, recipe);
        copy(new ModelFolder(model).weights("vae"), weights("vae"));
    }

    private static void requireSameAutoencoder(Path model, Recipe recipe) {
        requireSame(model.resolve("vae/config.json"), vae(recipe.autoencoder(), 1, recipe.data().size()), "scaling_factor");
    }

    private static void requireSame(Path config, Map<String, Object> wanted, String besides) {
        JsonNode has = JsonFile.read(config);
        JSON.valueToTree(wanted).properties().forEach(key -> {
            if (!key.getKey().equals(besides) && has.has(key.getKey()) && !has.get(key.getKey()).equals(key.getValue())) {
                throw new CheckpointException(config + ": " + key.getKey() + " is " + has.get(key.getKey()) + ", where the recipe has "
                        + key.getValue() + ": a run can only begin with a model of the recipe's sizes");
            }
        });
    }

    private static void copy(Path from, Path to) {
        ConfigFiles.create(to.getParent());
        try {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(from + ": cannot be copied to " + to + ": " + e.getMessage(), e);
        }
    }

    /**
     * Copies the weights of a component into parameters of the same names; nothing happens where it has none yet. A parameter that the
     * component does not have stays as it is: a network may begin with a smaller one.
     */
    void read(String component, Map<String, Tensor> parameters) {
        if (Files.exists(weights(component))) {
            begin(weights(component), parameters);
        }
    }

    /** Copies what a file has into parameters of the same names. */
    static void begin(Path file, Map<String, Tensor> parameters) {
        try (SafeTensors saved = SafeTensors.open(file); Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            saved.names().forEach(name -> parameters.get(name).copy_(saved.get(name)));
        }
    }

    /** Writes a component's weights, if there are any. */
    void write(String component, Map<String, Tensor> parameters) {
        if (parameters.isEmpty()) {
            return;
        }
        Map<String, Tensor> halves = new LinkedHashMap<>();
        try (Scope scope = new Scope()) {
            parameters.forEach((name, x) -> halves.put(name, x.detach().to(DType.F16)));
            ConfigFiles.create(path.resolve(component));
            SafeTensors.write(weights(component), halves, Map.of("format", "pt"));
        }
    }

    /** Writes {@code model_index.json}, every component's config, that of the text encoder as given, and which nouns were learnt. */
    void writeConfigs(Recipe recipe, Map<String, Object> text, double scalingFactor) {
        json("model_index.json", recipe.text() instanceof Recipe.Frozen ? miniature() : stableDiffusion());
        json("vae/config.json", vae(recipe.autoencoder(), scalingFactor, recipe.data().size()));
        json("text_encoder/config.json", text);
        json("unet/config.json", unet(recipe));
        json("scheduler/scheduler_config.json", scheduler(recipe.diffusion()));
        ConfigFiles.nouns(path, recipe.data().nouns());
    }

    /** Writes the config of an upscaler: from then on the folder draws that much larger. */
    void writeUpscaler(Upscaler.Config c) {
        json("upscaler/config.json", map("channels", c.channels(), "width", c.width(), "blocks", c.blocks(), "scale", c.scale()));
    }

    private void json(String file, Map<String, Object> values) {
        ConfigFiles.json(path.resolve(file), values);
    }

    private static Map<String, Object> map(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    private static Map<String, Object> miniature() {
        return map("_class_name", "MiniaturePipeline", "scheduler", List.of("diffusers", "DDIMScheduler"),
                "text_encoder", List.of("sfumato", MiniLm.NAME), "unet", List.of("diffusers", "UNet2DConditionModel"),
                "vae", List.of("diffusers", "AutoencoderKL"));
    }

    private static Map<String, Object> stableDiffusion() {
        List<Object> none = Arrays.asList(null, null);
        return map("_class_name", "StableDiffusionPipeline", "feature_extractor", none, "image_encoder", none,
                "requires_safety_checker", false, "safety_checker", none, "scheduler", List.of("diffusers", "DDIMScheduler"),
                "text_encoder", List.of("transformers", "CLIPTextModel"), "tokenizer", List.of("transformers", "CLIPTokenizer"),
                "unet", List.of("diffusers", "UNet2DConditionModel"), "vae", List.of("diffusers", "AutoencoderKL"));
    }

    private static Map<String, Object> vae(Recipe.Autoencoder c, double scalingFactor, int size) {
        int levels = c.widths().length;
        return map("_class_name", "AutoencoderKL", "in_channels", 3, "out_channels", 3, "latent_channels", c.latentChannels(),
                "block_out_channels", c.widths(), "layers_per_block", c.layers(), "norm_num_groups", c.groups(), "act_fn", "silu",
                "down_block_types", Collections.nCopies(levels, "DownEncoderBlock2D"),
                "up_block_types", Collections.nCopies(levels, "UpDecoderBlock2D"), "sample_size", size, "scaling_factor", scalingFactor);
    }

    /** The config of a text encoder that is trained. */
    static Map<String, Object> text(Recipe.Clip c, ClipTokenizer tokenizer) {
        return map("architectures", List.of("CLIPTextModel"), "model_type", "clip_text_model", "vocab_size", tokenizer.vocabSize(),
                "max_position_embeddings", tokenizer.maxLength(), "hidden_size", c.width(), "intermediate_size", c.hidden(),
                "num_hidden_layers", c.layers(), "num_attention_heads", c.heads(), "hidden_act", "quick_gelu", "layer_norm_eps", 1e-5,
                "bos_token_id", tokenizer.bosId(), "eos_token_id", tokenizer.eosId(), "pad_token_id", tokenizer.padId());
    }

    /** The config of a frozen one. */
    static Map<String, Object> text(Recipe.Frozen c) {
        return map("name", MiniLm.NAME, "tokens", c.tokens(), "layers", c.layers());
    }

    private static Map<String, Object> unet(Recipe recipe) {
        Recipe.UNet c = recipe.unet();
        int levels = c.widths().length;
        String[] down = new String[levels], up = new String[levels];
        for (int i = 0; i < levels; i++) {
            down[i] = c.attends()[i] ? "CrossAttnDownBlock2D" : "DownBlock2D";
            up[levels - 1 - i] = c.attends()[i] ? "CrossAttnUpBlock2D" : "UpBlock2D";
        }
        int factor = 1 << (recipe.autoencoder().widths().length - 1);
        Map<String, Object> map = map("_class_name", "UNet2DConditionModel", "sample_size", recipe.data().size() / factor,
                "in_channels", recipe.autoencoder().latentChannels(), "out_channels", recipe.autoencoder().latentChannels(),
                "block_out_channels", c.widths(), "layers_per_block", c.layers(), "down_block_types", down, "up_block_types", up,
                "mid_block_type", "UNetMidBlock2DCrossAttn", "attention_head_dim", c.heads(), "norm_num_groups", c.groups(),
                "cross_attention_dim", recipe.text().width(), "use_linear_projection", true);
        if (recipe.text() instanceof Recipe.Frozen) {
            map.putAll(map("encoder_hid_dim", MiniLm.WIDTH, "encoder_hid_dim_type", "text_proj"));
        }
        return map;
    }

    private static Map<String, Object> scheduler(Recipe.Diffusion c) {
        return map("_class_name", "DDIMScheduler", "num_train_timesteps", 1000, "beta_start", 0.00085, "beta_end", 0.012,
                "beta_schedule", "scaled_linear", "prediction_type", c.prediction(), "rescale_betas_zero_snr", c.zeroTerminalSnr(),
                "timestep_spacing", "trailing", "set_alpha_to_one", true, "steps_offset", 0, "clip_sample", false);
    }
}
