package io.sfumato.models.tokenizer;

import java.util.List;

/**
 * Where the parts of a VQGAN stand in a checkpoint, below {@code encoder} and {@code decoder}: three codebases saved one network under
 * names of their own.
 *
 * @param upFromPicture whether decoder levels are counted from the picture down, or in the order they run in
 * @param middle        residual block, attention and residual block at the smallest size
 * @param projections   of attention: query, key, value, out
 */
public record VqNames(String down, String up, boolean upFromPicture, String resnet, String attention, String downsample, String upsample,
                      List<String> middle, String normOut, String shortcut, String attentionNorm, List<String> projections) {
    public static final VqNames TAMING = new VqNames("down", "up", true, "block", "attn", "downsample.conv", "upsample.conv",
            List.of("mid.block_1", "mid.attn_1", "mid.block_2"), "norm_out", "nin_shortcut", "norm", List.of("q", "k", "v", "proj_out"));

    public static final VqNames LLAMAGEN = new VqNames("conv_blocks", "conv_blocks", false, "res", "attn", "downsample.conv",
            "upsample.conv", List.of("mid.0", "mid.1", "mid.2"), "norm_out", "nin_shortcut", "norm", List.of("q", "k", "v", "proj_out"));

    public static final VqNames DIFFUSERS = new VqNames("down_blocks", "up_blocks", false, "resnets", "attentions",
            "downsamplers.0.conv", "upsamplers.0.conv", List.of("mid_block.resnets.0", "mid_block.attentions.0", "mid_block.resnets.1"),
            "conv_norm_out", "conv_shortcut", "group_norm", List.of("to_q", "to_k", "to_v", "to_out.0"));
}
