package io.sfumato.cli;

import io.sfumato.HiresFix;
import io.sfumato.HiresUpscaler;
import io.sfumato.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options of a second, larger pass. */
final class Hires {
    @Option(order = 40, names = "--hires-scale", paramLabel = "F", description = "draw, enlarge F times, and draw over the larger picture")
    private List<Double> scale = List.of();

    @Option(order = 41, names = "--hires-steps", paramLabel = "N", description = "steps of the second pass (as many as of the first)")
    private int steps = HiresFix.AS_FIRST;

    @Option(order = 42, names = "--hires-strength", paramLabel = "S",
            description = "above 0 to 1: how far the second pass goes (${DEFAULT-VALUE})")
    private double strength = HiresFix.defaults().strength();

    @Option(order = 43, names = "--hires-upscaler", paramLabel = "NAME",
            description = "lanczos, bicubic, bilinear, or of the latents as in A1111: \"Latent\", \"Latent (nearest)\" ... (lanczos)")
    private String upscaler = "lanczos";

    /** The second pass, or none. */
    List<HiresFix> fix() {
        HiresUpscaler how = HiresUpscaler.named(upscaler);
        return scale.stream().map(factor -> new HiresFix(factor, steps, strength, how)).toList();
    }

    /** What A1111 and its kin store of it. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        for (HiresFix fix : fix()) {
            settings.put("Denoising strength", Generate.number(fix.strength()));
            settings.put("Hires upscale", Generate.number(fix.scale()));
            if (fix.steps() != HiresFix.AS_FIRST) {
                settings.put("Hires steps", String.valueOf(fix.steps()));
            }
            settings.put("Hires upscaler", fix.upscaler().name());
        }
        return settings;
    }

    /** The options of the largest pass, given those of the first with its size. */
    Options largest(Options first) {
        return fix().isEmpty() ? first : fix().get(0).second(first).withCount(first.count());
    }
}
