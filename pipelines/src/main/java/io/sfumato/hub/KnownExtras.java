package io.sfumato.hub;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Tensors that checkpoints of Stable Diffusion carry and that drawing leaves alone, each kind with what it is. */
public final class KnownExtras {
    private static final Map<String, Pattern> KINDS = new LinkedHashMap<>();

    static {
        kind("averaged weights", "model_ema\\..*|first_stage_model\\.model_ema\\..*");
        kind("schedule buffers", "betas|(sqrt_|log_)?(one_minus_|recip_|recipm1_)?alphas_cumprod(_prev)?|sqrt_recip(m1)?_alphas_cumprod|"
                + "posterior_\\w+|lvlb_weights|logvar|scale_factor|denoiser\\.\\w+");
        kind("position ids", "(.*\\.)?position_ids");
        kind("training losses", "first_stage_model\\.loss\\..*|loss\\..*");
        kind("parts of the text encoder that are not used", "cond_stage_model\\.(transformer\\.|model\\.)?"
                + "(logit_scale|text_projection(\\.weight)?|attn_mask)");
        kind("a safety checker", "safety_checker\\..*");
        kind("a depth estimator", "depth_model\\..*");
        kind("the schedule of a small picture's noise", "low_scale_model\\..*");
    }

    private KnownExtras() {
    }

    private static void kind(String name, String pattern) {
        KINDS.put(name, Pattern.compile(pattern));
    }

    /** What a tensor of this name is, if it is an extra. */
    public static Optional<String> of(String tensor) {
        return KINDS.entrySet().stream().filter(kind -> kind.getValue().matcher(tensor).matches()).map(Map.Entry::getKey).findFirst();
    }
}
