package io.sfumato.hub;

import io.sfumato.models.unet.UNetConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Names of the original layout of Stable Diffusion ("ldm", Rombach et al. 2022) and those of diffusers for the same tensors: pairs of
 * modules, of which the longest that a name begins with counts, and pairs within a module.
 */
final class LdmNames {
    private final Map<String, String> modules = new LinkedHashMap<>();
    private final Map<String, String> within = new LinkedHashMap<>();

    private LdmNames() {
    }

    /** Below {@code model.diffusion_model}. Down and up blocks are numbered through; what changes the size ends a level. */
    static LdmNames unet(UNetConfig c) {
        LdmNames names = new LdmNames()
                .module("time_embed.0", "time_embedding.linear_1").module("time_embed.2", "time_embedding.linear_2")
                .module("label_emb", "class_embedding").module("input_blocks.0.0", "conv_in")
                .module("middle_block.0", "mid_block.resnets.0").module("middle_block.1", "mid_block.attentions.0")
                .module("middle_block.2", "mid_block.resnets.1").module("out.0", "conv_norm_out").module("out.2", "conv_out")
                .inner("in_layers.0", "norm1").inner("in_layers.2", "conv1").inner("emb_layers.1", "time_emb_proj")
                .inner("out_layers.0", "norm2").inner("out_layers.3", "conv2").inner("skip_connection", "conv_shortcut");
        int n = c.widths().length;
        for (int level = 0, i = 1; level < n; level++, i++) {
            for (int j = 0; j < c.layers()[level]; j++, i++) {
                names.module("input_blocks." + i + ".0", "down_blocks." + level + ".resnets." + j)
                        .module("input_blocks." + i + ".1", "down_blocks." + level + ".attentions." + j);
            }
            names.module("input_blocks." + i + ".0.op", "down_blocks." + level + ".downsamplers.0.conv");
        }
        for (int up = 0, i = 0; up < n; up++) {
            int level = n - 1 - up;
            for (int j = 0; j <= c.layers()[level]; j++, i++) {
                names.module("output_blocks." + i + ".0", "up_blocks." + up + ".resnets." + j)
                        .module("output_blocks." + i + ".1", "up_blocks." + up + ".attentions." + j);
            }
            names.module("output_blocks." + (i - 1) + (c.upAttends()[level] ? ".2.conv" : ".1.conv"),
                    "up_blocks." + up + ".upsamplers.0.conv");
        }
        return names;
    }

    /** Below {@code first_stage_model}. Levels of the decoder are numbered from the picture down, in diffusers from the latents up. */
    static LdmNames vae(int levels, int layers) {
        LdmNames names = new LdmNames().module("quant_conv", "quant_conv").module("post_quant_conv", "post_quant_conv")
                .inner("nin_shortcut", "conv_shortcut").inner("norm", "group_norm").inner("q", "to_q").inner("k", "to_k").inner("v", "to_v")
                .inner("proj_out", "to_out.0");
        for (String coder : new String[] {"encoder.", "decoder."}) {
            names.module(coder + "conv_in", coder + "conv_in").module(coder + "conv_out", coder + "conv_out")
                    .module(coder + "norm_out", coder + "conv_norm_out").module(coder + "mid.block_1", coder + "mid_block.resnets.0")
                    .module(coder + "mid.block_2", coder + "mid_block.resnets.1")
                    .module(coder + "mid.attn_1", coder + "mid_block.attentions.0");
        }
        for (int level = 0; level < levels; level++) {
            String down = "encoder.down_blocks." + level, up = "decoder.up_blocks." + (levels - 1 - level);
            for (int j = 0; j <= layers; j++) {
                names.module("encoder.down." + level + ".block." + j, down + ".resnets." + j)
                        .module("decoder.up." + level + ".block." + j, up + ".resnets." + j);
            }
            names.module("encoder.down." + level + ".downsample.conv", down + ".downsamplers.0.conv")
                    .module("decoder.up." + level + ".upsample.conv", up + ".upsamplers.0.conv");
        }
        return names;
    }

    /** OpenCLIP's text tower, below {@code cond_stage_model.model}; its queries, keys and values are one tensor. */
    static LdmNames openClip(int layers) {
        LdmNames names = new LdmNames().module("token_embedding", "text_model.embeddings.token_embedding")
                .module("positional_embedding", "text_model.embeddings.position_embedding.weight")
                .module("ln_final", "text_model.final_layer_norm").inner("ln_1", "layer_norm1").inner("ln_2", "layer_norm2")
                .inner("mlp.c_fc", "mlp.fc1").inner("mlp.c_proj", "mlp.fc2").inner("attn.out_proj", "self_attn.out_proj");
        for (int i = 0; i < layers; i++) {
            names.module("transformer.resblocks." + i, "text_model.encoder.layers." + i);
        }
        return names;
    }

    /** Both towers of CLIP as OpenAI and open_clip have them. */
    static LdmNames clip(int textLayers, int visionLayers) {
        LdmNames names = openClip(textLayers).module("text_projection", "text_projection.weight").module("logit_scale", "logit_scale")
                .module("visual.conv1", "vision_model.embeddings.patch_embedding")
                .module("visual.class_embedding", "vision_model.embeddings.class_embedding")
                .module("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight")
                .module("visual.ln_pre", "vision_model.pre_layrnorm").module("visual.ln_post", "vision_model.post_layernorm")
                .module("visual.proj", "visual_projection.weight");
        for (int i = 0; i < visionLayers; i++) {
            names.module("visual.transformer.resblocks." + i, "vision_model.encoder.layers." + i);
        }
        return names;
    }

    private LdmNames module(String ldm, String diffusers) {
        modules.put(ldm, diffusers);
        return this;
    }

    private LdmNames inner(String ldm, String diffusers) {
        within.put("." + ldm, "." + diffusers);
        return this;
    }

    /** The other layout's name for a tensor; none for one that the network does not have. */
    Optional<String> rename(String name) {
        return renamed(name, modules, within);
    }

    /** The way back. */
    LdmNames reversed() {
        LdmNames names = new LdmNames();
        modules.forEach((ldm, diffusers) -> names.modules.put(diffusers, ldm));
        within.forEach((ldm, diffusers) -> names.within.put(diffusers, ldm));
        return names;
    }

    private static Optional<String> renamed(String name, Map<String, String> modules, Map<String, String> within) {
        String module = name;
        while (!modules.containsKey(module)) {
            if (module.lastIndexOf('.') < 0) {
                return Optional.empty();
            }
            module = module.substring(0, module.lastIndexOf('.'));
        }
        String rest = name.substring(module.length());
        for (var pair : within.entrySet()) {
            if ((rest + ".").startsWith(pair.getKey() + ".")) {
                rest = pair.getValue() + rest.substring(pair.getKey().length());
                break;
            }
        }
        return Optional.of(modules.get(module) + rest);
    }
}
