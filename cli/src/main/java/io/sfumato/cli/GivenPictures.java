package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/** The pictures that a prompt comes with, and what is to be done with them. */
final class GivenPictures {
    private final Map<Prompt.Role, Path> files = new EnumMap<>(Prompt.Role.class);
    private final List<UnaryOperator<Options>> changes = new ArrayList<>();

    @Option(order = 30, names = "--init", paramLabel = "IMAGE", description = "a picture to draw over, edit or enlarge")
    private void init(Path file) {
        files.put(Prompt.Role.INIT, file);
    }

    @Option(order = 31, names = "--mask", paramLabel = "IMAGE", description = "white where the --init picture is to be drawn anew")
    private void mask(Path file) {
        files.put(Prompt.Role.MASK, file);
    }

    @Option(order = 33, names = "--depth", paramLabel = "IMAGE", description = "near light, far dark: for models that look at depths")
    private void depth(Path file) {
        files.put(Prompt.Role.DEPTH, file);
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

    Options change(Options o) {
        for (UnaryOperator<Options> change : changes) {
            o = change.apply(o);
        }
        return o;
    }

    Prompt addTo(Prompt prompt) {
        // A mask is of an init picture, which comes first.
        for (Map.Entry<Prompt.Role, Path> file : files.entrySet()) {
            prompt = prompt.with(file.getKey(), Image.read(file.getValue()));
        }
        return prompt;
    }
}
