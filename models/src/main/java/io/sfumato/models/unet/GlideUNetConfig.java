package io.sfumato.models.unet;

import io.sfumato.io.ConfigJson;
import io.sfumato.nn.Activation;
import java.util.Arrays;
import java.util.List;

/**
 * What a diffusers {@code unet/config.json} says of a {@link GlideUNet}. Lists have one entry a level, from the full size down.
 *
 * @param widths         channels of each level ({@code block_out_channels})
 * @param layers         residual blocks of each down level; up levels have one more
 * @param downAttends    whether each residual block of the level's down part is followed by attention
 * @param upAttends      the same of its up part
 * @param headWidths     width of one attention head (here {@code attention_head_dim} is what it says) in the down and middle part
 * @param upHeadWidths   the same of the up part, for which diffusers reads the list from its other end
 * @param contextWidths  width of the text states that the levels see
 * @param onlyCross      whether the level attends to the text alone, not to the picture
 * @param midOnlyCross   the same of the middle
 * @param contextNorm    whether the text states are normalised before they become keys and values
 * @param timeWidth      width of the time embedding
 * @param scaleShift     time scales and shifts instead of being added
 * @param activatesTime  whether each residual block applies its activation to the time embedding
 * @param timeActivation what is applied to the sum of all embeddings; none or one
 * @param outScale       what the sum at the end of each residual block is divided by
 * @param midScale       the same in the middle
 * @param context        where the text states come from
 * @param statesWidth    their width before the network's own projection ({@code encoder_hid_dim}), or 0
 * @param label          how a label becomes part of the time embedding
 * @param labelSize      entries of the label's table, or the width of the label, where the kind has one
 * @param added          what else becomes part of the time embedding
 * @param poolHeads      heads of the attention that pools the text
 */
public record GlideUNetConfig(int inChannels, int outChannels, int[] widths, int[] layers, boolean[] downAttends, boolean[] upAttends,
                              Mid mid, int[] headWidths, int[] upHeadWidths, int[] contextWidths, boolean[] onlyCross,
                              boolean midOnlyCross, boolean contextNorm, int groups, double eps, Activation activation, int timeWidth,
                              boolean cosFirst, double frequencyShift, boolean scaleShift, boolean activatesTime,
                              List<Activation> timeActivation, double outScale, double midScale, boolean centerInput,
                              int convInKernel, int convOutKernel, Context context, int statesWidth, Label label, int labelSize,
                              Added added, int poolHeads) {

    /** Middle blocks: two residual blocks, between them attention to text and picture, or to the picture alone, or none; one; or none. */
    public enum Mid {
        ATTENTION(2), SELF_ATTENTION(2), PAIR(2), SINGLE(1), NONE(0);

        private final int resnets;

        Mid(int resnets) {
            this.resnets = resnets;
        }

        int resnets() {
            return resnets;
        }
    }

    /** Text states as given, projected, with tokens made of an image embedding before them, or such tokens alone. */
    public enum Context { GIVEN, PROJECTED, TEXT_AND_IMAGE, IMAGE }

    /** No label, a row of a table, a timestep's sinusoids, an embedding as it is, or one that two layers or one layer project. */
    public enum Label { NONE, TABLE, TIMESTEP, IDENTITY, PROJECTION, SIMPLE_PROJECTION }

    /** Nothing, the text pooled by attention, a text and an image embedding, an image embedding, or one with a picture as a hint. */
    public enum Added { NONE, TEXT, TEXT_AND_IMAGE, IMAGE, IMAGE_AND_HINT }

    private static final List<String> DOWN = List.of("SimpleCrossAttnDownBlock2D", "ResnetDownsampleBlock2D");
    private static final List<String> UP = List.of("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D");
    private static final List<String> CONTEXTS = List.of("", "text_proj", "text_image_proj", "image_proj");
    private static final List<String> LABELS = List.of("", "table", "timestep", "identity", "projection", "simple_projection");
    private static final List<String> ADDED = List.of("", "text", "text_image", "image", "image_hint");
    private static final int CONTEXT_GROUPS = 32;

    public GlideUNetConfig {
        for (int i = 0; i < widths.length; i++) {
            boolean last = i == widths.length - 1;
            requireHeads(i, widths[i], headWidths[i], downAttends[i] || last && (mid == Mid.ATTENTION || mid == Mid.SELF_ATTENTION));
            requireHeads(i, widths[i], upHeadWidths[i], upAttends[i]);
            boolean attends = downAttends[i] || upAttends[i] || last && mid == Mid.ATTENTION;
            if (attends && contextNorm && contextWidths[i] % CONTEXT_GROUPS != 0) {
                throw new IllegalArgumentException("level " + i + ": cross_attention_norm divides cross_attention_dim " + contextWidths[i]
                        + " into " + CONTEXT_GROUPS + " groups, so it must be a multiple of them");
            }
        }
        if (context != Context.GIVEN && Arrays.stream(contextWidths).distinct().count() > 1) {
            throw new IllegalArgumentException("encoder_hid_dim " + statesWidth + " is projected to one cross_attention_dim, not to "
                    + Arrays.toString(contextWidths));
        }
        if (added == Added.TEXT && (poolHeads < 1 || pooledWidth(statesWidth, contextWidths) % poolHeads != 0)) {
            throw new IllegalArgumentException("addition_embed_type_num_heads " + poolHeads + " does not divide the "
                    + pooledWidth(statesWidth, contextWidths) + " channels of the text states");
        }
    }

    private static void requireHeads(int level, int width, int headWidth, boolean attends) {
        if (attends && (headWidth < 1 || width % headWidth != 0)) {
            throw new IllegalArgumentException("level " + level + ": " + width + " channels cannot be divided into heads of " + headWidth);
        }
    }

    private static int pooledWidth(int statesWidth, int[] contextWidths) {
        return statesWidth > 0 ? statesWidth : contextWidths[0];
    }

    /**
     * Imagen's base model (Saharia et al. 2022, appendix F.1; 2 billion parameters): no attention at full size, text states projected and
     * normalised, pooled into the time embedding.
     *
     * @param width     of the first level; the others have twice, three times and so on as much
     * @param textWidth of the text states
     */
    public static GlideUNetConfig imagen(int width, int levels, int layers, int headWidth, int textWidth, int groups) {
        int[] widths = new int[levels], all = new int[levels], heads = new int[levels], contexts = new int[levels];
        boolean[] attends = new boolean[levels];
        for (int i = 0; i < levels; i++) {
            widths[i] = (i + 1) * width;
            all[i] = layers;
            heads[i] = headWidth;
            contexts[i] = levels * width;
            attends[i] = i > 0;
        }
        return new GlideUNetConfig(3, 3, widths, all, attends, attends, Mid.ATTENTION, heads, heads, contexts, new boolean[levels], false,
                true, groups, 1e-5, Activation.SILU, 4 * width, true, 0, true, true, List.of(), 1, 1, false, 3, 3, Context.PROJECTED,
                textWidth, Label.NONE, 0, Added.TEXT, textWidth / headWidth);
    }

    /** Width of the text states as they are given. */
    public int pooledWidth() {
        return pooledWidth(statesWidth, contextWidths);
    }

    /** Whether {@code json} is of this network, not of {@link UNet2DCondition}. */
    public static boolean fits(ConfigJson json) {
        return json.has("down_block_types") && DOWN.containsAll(json.texts("down_block_types"));
    }

    /**
     * Reads a {@code config.json}, of diffusers' {@code UNet2DConditionModel} or, without text, {@code UNet2DModel}.
     *
     * @throws io.sfumato.io.CheckpointException for a key or a value that this network does not have
     */
    public static GlideUNetConfig of(ConfigJson json) {
        int[] widths = json.integers("block_out_channels");
        int n = widths.length;
        refuseOthers(json);
        boolean[] onlyCross = json.flags("only_cross_attention", n, false);
        boolean one = !json.has("only_cross_attention") || allSame(onlyCross);
        Activation activation = Activation.of(json, "act_fn", Activation.SILU);
        Label label = label(json);
        int[] headWidths = json.integers("attention_head_dim", n, 8), upHeadWidths = new int[n];
        Arrays.setAll(upHeadWidths, i -> headWidths[n - 1 - i]);
        return new GlideUNetConfig(json.integer("in_channels", 4), json.integer("out_channels", 4), widths,
                json.integers("layers_per_block", n, 2), UNetConfig.attends(json, "down_block_types", n, DOWN, List.of()),
                UNetConfig.reversed(UNetConfig.attends(json, "up_block_types", n, UP, List.of())), mid(json), headWidths, upHeadWidths,
                json.integers("cross_attention_dim", n, 1280), onlyCross,
                json.flag("mid_block_only_cross_attention", one && onlyCross[0]),
                json.text("cross_attention_norm", "").equals("group_norm"), json.integer("norm_num_groups", 32),
                json.number("norm_eps", 1e-5), activation, json.integer("time_embedding_dim", 4 * widths[0]),
                json.flag("flip_sin_to_cos", true), json.number("freq_shift", 0),
                json.text("resnet_time_scale_shift", "default").equals("scale_shift"), !json.flag("resnet_skip_time_act", false),
                json.has("time_embedding_act_fn") ? List.of(Activation.of(json, "time_embedding_act_fn", activation)) : List.of(),
                json.number("resnet_out_scale_factor", 1), json.number("mid_block_scale_factor", 1),
                json.flag("center_input_sample", false), json.integer("conv_in_kernel", 3), json.integer("conv_out_kernel", 3),
                Context.values()[index(json, "encoder_hid_dim_type", CONTEXTS, json.has("encoder_hid_dim") ? "text_proj" : "")],
                json.integer("encoder_hid_dim", 0), label,
                json.integer(label == Label.TABLE ? "num_class_embeds" : "projection_class_embeddings_input_dim", 0),
                Added.values()[index(json, "addition_embed_type", ADDED, "")], json.integer("addition_embed_type_num_heads", 64));
    }

    private static boolean allSame(boolean[] flags) {
        for (boolean flag : flags) {
            if (flag != flags[0]) {
                return false;
            }
        }
        return true;
    }

    private static Label label(ConfigJson json) {
        Label label = Label.values()[index(json, "class_embed_type", LABELS, json.has("num_class_embeds") ? "table" : "")];
        if ((label == Label.PROJECTION || label == Label.SIMPLE_PROJECTION) && !json.has("projection_class_embeddings_input_dim")) {
            throw json.wrong("projection_class_embeddings_input_dim", "missing", "the width of the label");
        }
        return label;
    }

    private static int index(ConfigJson json, String key, List<String> kinds, String otherwise) {
        String kind = json.text(key, otherwise);
        if (!kinds.contains(kind)) {
            throw json.wrong(key, kind, "null or one of " + kinds.subList(1, kinds.size()));
        }
        return kinds.indexOf(kind);
    }

    private static Mid mid(ConfigJson json) {
        if (json.text("_class_name", "").equals("UNet2DModel")) {
            json.require("mid_block_type", "UNetMidBlock2D");
            json.require("attn_norm_num_groups", null);
            json.require("downsample_type", "conv");
            return json.flag("add_attention", true) ? Mid.SELF_ATTENTION : Mid.PAIR;
        }
        if (json.isNull("mid_block_type")) {
            return Mid.NONE;
        }
        String type = json.text("mid_block_type", "UNetMidBlock2DCrossAttn");
        return switch (type) {
            case "UNetMidBlock2DSimpleCrossAttn" -> Mid.ATTENTION;
            case "UNetMidBlock2D" -> Mid.SINGLE;
            default -> throw json.wrong("mid_block_type", type, "UNetMidBlock2DSimpleCrossAttn, UNetMidBlock2D or null");
        };
    }

    private static void refuseOthers(ConfigJson json) {
        for (String key : List.of("time_cond_proj_dim", "timestep_post_act", "num_attention_heads")) {
            json.require(key, null);
        }
        json.require("cross_attention_norm", "group_norm");
        json.require("class_embeddings_concat", false);
        json.require("dual_cross_attention", false);
        json.require("attention_type", "default");
        json.require("time_embedding_type", "positional");
        if (!List.of("default", "scale_shift").contains(json.text("resnet_time_scale_shift", "default"))) {
            throw json.wrong("resnet_time_scale_shift", json.text("resnet_time_scale_shift", ""), "default or scale_shift");
        }
    }
}
