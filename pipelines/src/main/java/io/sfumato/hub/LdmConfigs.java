package io.sfumato.hub;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The {@code config.json} files that diffusers would have for an ldm checkpoint: what shapes tell, what its yaml adds, and defaults. */
final class LdmConfigs {
    static final String UNET = "model.diffusion_model.";
    static final String VAE = "first_stage_model.";
    static final String CLIP = "cond_stage_model.transformer.";
    static final String OPEN_CLIP = "cond_stage_model.model.";
    /** Layers of SD 2's text encoder that are used; its file has one more. */
    private static final int SECOND_TEXT_LAYERS = 23;
    private static final int GROUPS = 32;
    private static final int HEAD = 64;
    private static final int FIRST_HEADS = 8;

    private final TensorSource source;
    private final Set<String> names;
    private final LdmYaml yaml;
    private final boolean second;

    /** @param second whether it is of the second generation, by its text encoder */
    LdmConfigs(TensorSource source, LdmYaml yaml, boolean second) {
        this.source = source;
        this.names = source.names();
        this.yaml = yaml;
        this.second = second;
    }

    private long size(String name, int dim) {
        long[] shape = source.shape(name);
        return dim < shape.length ? shape[dim] : 1;
    }

    /** How many of {@code before + i + after} there are, from 0. */
    private int count(String before, String after) {
        int i = 0;
        while (names.contains(before + i + after)) {
            i++;
        }
        return i;
    }

    ObjectNode unet() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("_class_name", "UNet2DConditionModel");
        List<Integer> widths = new ArrayList<>(), layers = new ArrayList<>(), depths = new ArrayList<>();
        List<String> downs = new ArrayList<>(), ups = new ArrayList<>();
        List<Boolean> onlyCross = new ArrayList<>();
        String context = "";
        int i = 1;
        while (names.contains(UNET + "input_blocks." + i + ".0.in_layers.2.weight")) {
            int count = 0;
            String block = UNET + "input_blocks." + i;
            int depth = count(block + ".1.transformer_blocks.", ".attn2.to_k.weight");
            for (; names.contains(block + ".0.in_layers.2.weight"); count++) {
                context = depth > 0 ? block + ".1.transformer_blocks.0.attn2.to_k.weight" : context;
                block = UNET + "input_blocks." + ++i;
            }
            String keys = UNET + "input_blocks." + (i - 1) + ".1.transformer_blocks.0.attn1.to_k.weight";
            onlyCross.add(depth > 0 && size(keys, 0) != size(keys, 1));
            widths.add((int) size(UNET + "input_blocks." + (i - 1) + ".0.in_layers.2.weight", 0));
            layers.add(count);
            depths.add(Math.max(1, depth));
            downs.add(depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
            i++;                                                                        // what halves the size
        }
        for (int level = widths.size() - 1, j = 0; level >= 0; j += layers.get(level) + 1, level--) {
            boolean attends = names.contains(UNET + "output_blocks." + j + ".1.transformer_blocks.0.attn2.to_k.weight");
            ups.add(attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
        }
        json.put("in_channels", size(UNET + "input_blocks.0.0.weight", 1)).put("out_channels", size(UNET + "out.2.weight", 0));
        json.put("cross_attention_dim", context.isEmpty() ? 0 : size(context, 1));
        json.put("use_linear_projection", source.shape(UNET + "middle_block.1.proj_in.weight").length == 2);
        json.put("norm_num_groups", GROUPS).put("sample_size", sampleSize());
        if (enlarges()) {
            json.put("num_class_embeds", size(UNET + "label_emb.weight", 0));
        }
        widths.forEach(json.putArray("block_out_channels")::add);
        layers.forEach(json.putArray("layers_per_block")::add);
        depths.forEach(json.putArray("transformer_layers_per_block")::add);
        onlyCross.forEach(json.putArray("only_cross_attention")::add);
        downs.forEach(json.putArray("down_block_types")::add);
        ups.forEach(json.putArray("up_block_types")::add);
        widths.forEach(width -> json.withArray("attention_head_dim").add(heads(width)));
        yaml.require("unet_config.params.in_channels", json.path("in_channels").asLong());
        yaml.require("unet_config.params.model_channels", widths.get(0));
        yaml.require("unet_config.params.context_dim", json.path("cross_attention_dim").asLong());
        return json;
    }

    /** Heads of a level; -1 in a yaml is as good as nothing. */
    private int heads(int width) {
        int number = yaml.integer("unet_config.params.num_heads", -1);
        int each = yaml.integer("unet_config.params.num_head_channels", -1);
        if (number > 0 || each > 0) {
            return number > 0 ? number : Math.max(1, width / each);
        }
        return second && !enlarges() ? Math.max(1, width / HEAD) : FIRST_HEADS;
    }

    /** Whether it is the x4 upscaler, which is told how much noise the small picture has. */
    private boolean enlarges() {
        return names.contains(UNET + "label_emb.weight");
    }

    private int sampleSize() {
        return enlarges() ? 128 : second && predictionType().equals("v_prediction") ? 96 : 64;
    }

    ObjectNode vae() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("_class_name", "AutoencoderKL");
        int levels = count(VAE + "encoder.down.", ".block.0.conv1.weight");
        for (int i = 0; i < levels; i++) {
            json.withArray("block_out_channels").add(size(VAE + "encoder.down." + i + ".block.0.conv1.weight", 0));
            json.withArray("down_block_types").add("DownEncoderBlock2D");
            json.withArray("up_block_types").add("UpDecoderBlock2D");
        }
        return json.put("layers_per_block", count(VAE + "encoder.down.0.block.", ".conv1.weight"))
                .put("in_channels", size(VAE + "encoder.conv_in.weight", 1)).put("out_channels", size(VAE + "decoder.conv_out.weight", 0))
                .put("latent_channels", size(VAE + "decoder.conv_in.weight", 1)).put("norm_num_groups", GROUPS)
                .put("use_quant_conv", names.contains(VAE + "quant_conv.weight"))
                .put("use_post_quant_conv", names.contains(VAE + "post_quant_conv.weight"))
                .put("mid_block_add_attention", names.contains(VAE + "decoder.mid.attn_1.norm.weight"))
                .put("scaling_factor", yaml.number("scale_factor", enlarges() ? 0.08333 : 0.18215));
    }

    ObjectNode text() {
        String prefix = second ? OPEN_CLIP : names.contains(CLIP + "text_model.final_layer_norm.weight") ? CLIP + "text_model." : CLIP;
        String tokens = prefix + (second ? "token_embedding.weight" : "embeddings.token_embedding.weight");
        String positions = prefix + (second ? "positional_embedding" : "embeddings.position_embedding.weight");
        String layer = prefix + (second ? "transformer.resblocks." : "encoder.layers.");
        String hidden = layer + (second ? "0.mlp.c_fc.weight" : "0.mlp.fc1.weight");
        int width = (int) size(tokens, 1);
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("architectures").add("CLIPTextModel");
        return json.put("vocab_size", size(tokens, 0)).put("hidden_size", width).put("intermediate_size", size(hidden, 0))
                .put("num_hidden_layers", textLayers(count(layer, second ? ".ln_1.weight" : ".layer_norm1.weight")))
                .put("num_attention_heads", Math.max(1, width / HEAD)).put("max_position_embeddings", size(positions, 0))
                .put("hidden_act", second ? "gelu" : "quick_gelu").put("layer_norm_eps", 1e-5).put("model_type", "clip_text_model");
    }

    /** SD 2 reads the text states before the last layer, which then need not be there. */
    private int textLayers(int stored) {
        boolean last = yaml.text("cond_stage_config.params.layer", "penultimate").equals("last") || stored == SECOND_TEXT_LAYERS;
        return second && !last ? stored - 1 : stored;
    }

    private String predictionType() {
        return switch (yaml.text("parameterization", second ? "v" : "eps")) {
            case "v" -> "v_prediction";
            case "x0" -> "sample";
            default -> "epsilon";
        };
    }

    /** The noise that the x4 upscaler adds to the small picture. */
    static ObjectNode lowResScheduler() {
        return JsonNodeFactory.instance.objectNode().put("_class_name", "DDPMScheduler").put("beta_schedule", "scaled_linear")
                .put("beta_start", 0.0001).put("beta_end", 0.02).put("num_train_timesteps", 1000);
    }

    /** The schedulers that the published folders have. */
    ObjectNode scheduler() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("_class_name", second ? "DDIMScheduler" : "PNDMScheduler")
                .put("beta_schedule", "scaled_linear").put("beta_start", yaml.number("linear_start", 0.00085))
                .put("beta_end", yaml.number("linear_end", 0.012)).put("num_train_timesteps", yaml.integer("timesteps", 1000))
                .put("set_alpha_to_one", false).put("steps_offset", 1).put("prediction_type", predictionType());
        return second ? json.put("clip_sample", false) : json.put("skip_prk_steps", true);
    }
}
