package io.sfumato.models.unet;

import io.sfumato.io.ConfigJson;
import io.sfumato.nn.Activation;
import java.util.Arrays;
import java.util.List;

/**
 * What a diffusers {@code unet/config.json} says of a {@link UNet2DCondition}. Lists have one entry a level, from the full size down.
 *
 * @param widths            channels of each level ({@code block_out_channels})
 * @param layers            residual blocks of each down level; up levels have one more
 * @param downAttends       whether the level's down block has Transformers
 * @param upAttends         the same of its up block
 * @param mid               the kind of the middle block
 * @param heads             attention heads (which diffusers calls {@code attention_head_dim})
 * @param depths            blocks in each Transformer of the down and middle part
 * @param upDepths          the same of the up part
 * @param textWidth         width of the text states before the network's own projection of them ({@code encoder_hid_dim}), or 0 for
 *                          none
 * @param contextWidths     width of the text states that the levels see
 * @param onlyCross         whether the first attention of each block looks at the text too
 * @param timeWidth         width of the time embedding
 * @param cosFirst          cosines before sines in it
 * @param frequencyShift    {@code freq_shift}
 * @param scaleShift        time scales and shifts instead of being added
 * @param labels            labels that pictures may have ({@code num_class_embeds}), 0 for none
 * @param downsamplePadding 1, or 0 for padding on the far sides only
 */
public record UNetConfig(int inChannels, int outChannels, int[] widths, int[] layers, boolean[] downAttends, boolean[] upAttends, Mid mid,
                         int[] heads, int[] depths, int[] upDepths, int textWidth, int[] contextWidths, boolean[] onlyCross, int groups,
                         double eps, Activation activation, int timeWidth, boolean cosFirst, double frequencyShift, boolean scaleShift,
                         int labels, boolean centerInput, int downsamplePadding, int convInKernel, int convOutKernel) {

    /** Middle blocks: with a Transformer between two residual blocks, a lone residual block, or none. */
    public enum Mid {
        CROSS_ATTENTION(2), RESIDUAL(1), NONE(0);

        private final int resnets;

        Mid(int resnets) {
            this.resnets = resnets;
        }

        int resnets() {
            return resnets;
        }
    }

    private static final List<String> DOWN = List.of("CrossAttnDownBlock2D", "DownBlock2D");
    private static final List<String> UP = List.of("CrossAttnUpBlock2D", "UpBlock2D");

    public UNetConfig {
        if (textWidth < 0 || textWidth > 0 && Arrays.stream(contextWidths).distinct().count() > 1) {
            throw new IllegalArgumentException("encoder_hid_dim " + textWidth + " is projected to one cross_attention_dim, not to "
                    + Arrays.toString(contextWidths));
        }
        for (int i = 0; i < widths.length; i++) {
            if (heads[i] < 1 || (downAttends[i] || upAttends[i]) && widths[i] % heads[i] != 0) {
                throw new IllegalArgumentException("level " + i + ": " + widths[i] + " channels cannot be divided among " + heads[i]
                        + " heads");
            }
        }
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws io.sfumato.io.CheckpointException for a key or a value that this network does not have
     */
    public static UNetConfig of(ConfigJson json) {
        int[] widths = json.has("block_out_channels") ? json.integers("block_out_channels") : new int[] {320, 640, 1280, 1280};
        int n = widths.length;
        refuseOtherFamilies(json);
        int[] heads = json.integers(json.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", n, 8);
        int[] depths = json.integers("transformer_layers_per_block", n, 1);
        int[] upDepths = json.has("reverse_transformer_layers_per_block")
                ? reversed(json.integers("reverse_transformer_layers_per_block", n, 1)) : depths;
        return new UNetConfig(json.integer("in_channels", 4), json.integer("out_channels", 4), widths,
                json.integers("layers_per_block", n, 2),
                attends(json, "down_block_types", n, DOWN, List.of(DOWN.get(0), DOWN.get(0), DOWN.get(0), DOWN.get(1))),
                reversed(attends(json, "up_block_types", n, UP, List.of(UP.get(1), UP.get(0), UP.get(0), UP.get(0)))),
                mid(json), heads, depths, upDepths, json.integer("encoder_hid_dim", 0), json.integers("cross_attention_dim", n, 1280),
                json.flags("only_cross_attention", n, false),
                json.integer("norm_num_groups", 32), json.number("norm_eps", 1e-5), Activation.of(json, "act_fn", Activation.SILU),
                json.integer("time_embedding_dim", 4 * widths[0]), json.flag("flip_sin_to_cos", true), json.number("freq_shift", 0),
                json.text("resnet_time_scale_shift", "default").equals("scale_shift"), json.integer("num_class_embeds", 0),
                json.flag("center_input_sample", false), json.integer("downsample_padding", 1),
                json.integer("conv_in_kernel", 3), json.integer("conv_out_kernel", 3));
    }

    /** Which levels attend: those whose block is the first of {@code kinds}. */
    static boolean[] attends(ConfigJson json, String key, int n, List<String> kinds, List<String> usual) {
        List<String> types = json.has(key) ? json.texts(key) : usual;
        if (types.size() != n || !kinds.containsAll(types)) {
            throw json.wrong(key, types, n + " of " + kinds);
        }
        boolean[] attends = new boolean[n];
        for (int i = 0; i < n; i++) {
            attends[i] = types.get(i).equals(kinds.get(0));
        }
        return attends;
    }

    private static Mid mid(ConfigJson json) {
        if (json.isNull("mid_block_type")) {
            return Mid.NONE;
        }
        String type = json.text("mid_block_type", "UNetMidBlock2DCrossAttn");
        return switch (type) {
            case "UNetMidBlock2DCrossAttn" -> Mid.CROSS_ATTENTION;
            case "UNetMidBlock2D" -> Mid.RESIDUAL;
            default -> throw json.wrong("mid_block_type", type, "UNetMidBlock2DCrossAttn, UNetMidBlock2D or null");
        };
    }

    private static void refuseOtherFamilies(ConfigJson json) {
        for (String key : List.of("class_embed_type", "addition_embed_type",
                "time_cond_proj_dim", "timestep_post_act", "time_embedding_act_fn", "cross_attention_norm",
                "projection_class_embeddings_input_dim")) {
            json.require(key, null);
        }
        json.require("encoder_hid_dim_type", json.has("encoder_hid_dim") ? "text_proj" : null);
        json.require("dual_cross_attention", false);
        json.require("resnet_skip_time_act", false);
        json.require("class_embeddings_concat", false);
        json.require("attention_type", "default");
        json.require("time_embedding_type", "positional");
        for (String key : List.of("mid_block_scale_factor", "resnet_out_scale_factor")) {
            if (json.number(key, 1) != 1) {
                throw json.wrong(key, json.number(key, 1), "1 (nothing else is supported)");
            }
        }
        if (!List.of("default", "scale_shift").contains(json.text("resnet_time_scale_shift", "default"))) {
            throw json.wrong("resnet_time_scale_shift", json.text("resnet_time_scale_shift", ""), "default or scale_shift");
        }
    }

    private static int[] reversed(int[] a) {
        int[] r = new int[a.length];
        Arrays.setAll(r, i -> a[a.length - 1 - i]);
        return r;
    }

    static boolean[] reversed(boolean[] a) {
        boolean[] r = new boolean[a.length];
        for (int i = 0; i < a.length; i++) {
            r[i] = a[a.length - 1 - i];
        }
        return r;
    }
}
