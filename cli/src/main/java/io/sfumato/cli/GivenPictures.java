package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Outpainting;
import io.sfumato.Prompt;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The pictures that a prompt comes with, and what is to be done with them. */
final class GivenPictures {
    private final Map<Prompt.Role, Path> files = new EnumMap<>(Prompt.Role.class);
    private final Changes<Options> changes = new Changes<>();
    private List<String> extension = List.of();

    @Option(order = 30, names = "--init", paramLabel = "IMAGE", description = "a picture to draw over, edit or enlarge")
    private void init(Path file) {
        files.put(Prompt.Role.INIT, file);
    }

    @Option(order = 31, names = "--mask", paramLabel = "IMAGE", description = "white where the --init picture is to be drawn anew")
    private void mask(Path file) {
        files.put(Prompt.Role.MASK, file);
    }

    @Option(order = 32, names = "--extend", paramLabel = "N",
            description = "draw N pixels beyond the --init picture's edges, or LEFT,TOP,RIGHT,BOTTOM of them: for models that"
                    + " take a --mask")
    private void extend(String sides) {
        extension = List.of(sides);
    }

    @Option(order = 33, names = "--depth", paramLabel = "IMAGE", description = "near light, far dark: for models that look at depths")
    private void depth(Path file) {
        files.put(Prompt.Role.DEPTH, file);
    }

    @Option(order = 36, names = "--mask-blur", paramLabel = "R", description = "pixels that the mask's edge is softened by (0)")
    private void maskBlur(double radius) {
        changes.add(o -> o.withMaskBlur(radius));
    }

    @Option(order = 37, names = "--mask-padding", paramLabel = "N",
            description = "draw only the part within N pixels of the mask, enlarged (the whole picture)")
    private void maskPadding(int pixels) {
        changes.add(o -> {
            if (pixels == Options.WHOLE_PICTURE) {
                throw new IllegalArgumentException("mask padding must be 0 to 16384, not " + pixels);
            }
            return o.withMaskPadding(pixels);
        });
    }

    @Option(order = 38, names = "--mask-fill", paramLabel = "WHAT",
            description = "under the mask before drawing begins: original, surroundings, latent-noise or latent-nothing (original)")
    private void maskFill(String what) {
        changes.add(o -> o.withMaskFill(Stream.of(Options.MaskFill.values()).filter(fill -> name(fill).equals(what)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown mask fill '" + what
                        + "': use original, surroundings, latent-noise or latent-nothing"))));
    }

    private static String name(Options.MaskFill fill) {
        return fill.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Option(order = 34, names = "--image-guidance", paramLabel = "G",
            description = "how closely an edit follows the --init picture, for models of edits (1.5)")
    private void imageGuidance(double guidance) {
        changes.add(o -> o.withImageGuidance(guidance));
    }

    @Option(order = 35, names = "--noise-level", paramLabel = "N",
            description = "noise over the --init picture, for models that enlarge: the more, the more is made up (20)")
    private void noiseLevel(int level) {
        changes.add(o -> o.withNoiseLevel(level));
    }

    @Option(order = 32, names = "--strength", paramLabel = "S",
            description = "above 0 to 1: how far to go from the --init picture (0.8; 1 with --mask)")
    private void strength(double strength) {
        changes.add(o -> {
            if (strength == Options.OF_TASK) {
                throw new IllegalArgumentException("strength must be above 0 and at most 1, not 0");
            }
            return o.withStrength(strength);
        });
    }

    /** What A1111 and its kin store of it. */
    static Map<String, String> settings(Prompt prompt, Options o) {
        Map<String, String> settings = new LinkedHashMap<>();
        if (prompt.has(Prompt.Role.INIT)) {
            settings.put("Denoising strength", Generate.number(o.strength(prompt)));
        }
        if (prompt.has(Prompt.Role.MASK)) {
            settings.put("Mask blur", Generate.number(o.maskBlur()));
            if (o.maskPadding() != Options.WHOLE_PICTURE) {
                settings.put("Inpaint area", "Only masked");
                settings.put("Masked area padding", String.valueOf(o.maskPadding()));
            }
            settings.put("Masked content", switch (o.maskFill()) {
                case ORIGINAL -> "original";
                case SURROUNDINGS -> "fill";
                case LATENT_NOISE -> "latent noise";
                case LATENT_NOTHING -> "latent nothing";
            });
        }
        return settings;
    }

    Options change(Options o) {
        return changes.to(o);
    }

    Prompt addTo(Prompt prompt) {
        // A mask is of an init picture, which comes first.
        for (Map.Entry<Prompt.Role, Path> file : files.entrySet()) {
            prompt = prompt.with(file.getKey(), Image.read(file.getValue()));
        }
        if (!extension.isEmpty() && !prompt.has(Prompt.Role.INIT)) {
            throw new IllegalArgumentException("--extend draws beyond the edges of an --init picture, and there is none");
        }
        return extension.isEmpty() ? prompt : outpainting(extension.get(0)).of(prompt);
    }

    private static Outpainting outpainting(String sides) {
        if (!sides.matches("\\d{1,5}(,\\d{1,5},\\d{1,5},\\d{1,5})?")) {
            throw new IllegalArgumentException("--extend takes a number of pixels, or four as LEFT,TOP,RIGHT,BOTTOM, not '" + sides + "'");
        }
        int[] n = Stream.of(sides.split(",")).mapToInt(Integer::parseInt).toArray();
        return n.length == 1 ? new Outpainting(n[0], n[0], n[0], n[0]) : new Outpainting(n[0], n[1], n[2], n[3]);
    }
}
