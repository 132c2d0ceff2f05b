package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.diffusion.Samplers;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a picture is to be like: on the command line for all, and in a line of a file of prompts for one. */
final class PictureOptions {
    private final Changes<Options> changes = new Changes<>();
    private List<Long> seed = List.of();
    private List<String> negative = List.of();

    @Mixin
    private final GivenPictures pictures = new GivenPictures();

    @Mixin
    private final TokenPicking picking = new TokenPicking();

    @Mixin
    private final UnclipSteps unclip = new UnclipSteps();

    @Mixin
    private final ShortcutOptions shortcuts = new ShortcutOptions();

    @Option(order = 1, names = "--negative", paramLabel = "TEXT", description = "what to lead away from")
    private void negative(String text) {
        negative = List.of(text);
    }

    @Option(order = 3, names = "--width", paramLabel = "W", description = "pixels, a multiple of 8")
    private void width(int width) {
        changes.add(o -> o.withSize(given("width", width), o.height()));
    }

    @Option(order = 4, names = "--height", paramLabel = "H", description = "pixels, a multiple of 8")
    private void height(int height) {
        changes.add(o -> o.withSize(o.width(), given("height", height)));
    }

    @Option(order = 5, names = "--steps", paramLabel = "N", description = "sampling steps")
    private void steps(int steps) {
        changes.add(o -> o.withSteps(steps));
    }

    @Option(order = 6, names = "--guidance", paramLabel = "G", description = "how closely to follow the prompt; 1 or less is freely")
    private void guidance(double guidance) {
        changes.add(o -> o.withGuidance(guidance));
    }

    @Option(order = 7, names = "--guidance-rescale", paramLabel = "R", description = "0 to 1: against the glare of strong guidance")
    private void guidanceRescale(double rescale) {
        changes.add(o -> o.withGuidanceRescale(rescale));
    }

    @Option(order = 8, names = "--seed", paramLabel = "S", description = "of the first picture; the next has S+1 (random)")
    private void seed(long seed) {
        this.seed = List.of(seed);
    }

    @Option(order = 9, names = "--sampler", paramLabel = "NAME", description = "as diffusers, A1111 or ComfyUI name it")
    private void sampler(String name) {
        changes.add(o -> {
            Samplers.requireSampler(name);
            return o.withSampler(name);
        });
    }

    @Option(order = 10, names = "--schedule", paramLabel = "NAME", description = "spacing of the steps, such as karras or trailing")
    private void schedule(String name) {
        changes.add(o -> {
            Samplers.requireSchedule(name);
            return o.withSchedule(name);
        });
    }

    @Option(order = 11, names = "--count", paramLabel = "N", description = "pictures, drawn as one batch: NAME-1.png ... NAME-N.png")
    private void count(int count) {
        changes.add(o -> o.withCount(count));
    }

    @Option(order = 12, names = "--eta", paramLabel = "E", description = "0 to 1: noise that the DDIM sampler adds")
    private void eta(double eta) {
        changes.add(o -> o.withEta(eta));
    }

    @Option(order = 13, names = "--clip-skip", paramLabel = "N", description = "last layers of the text encoder to leave out")
    private void clipSkip(int layers) {
        changes.add(o -> o.withClipSkip(layers));
    }

    // In Options a 0 leaves the size to the model; on the command line it is a mistake.
    private static int given(String side, int size) {
        if (size == Options.OF_MODEL) {
            throw new IllegalArgumentException(side + " must be a multiple of 8 from 8 to 16384, not 0");
        }
        return size;
    }

    Options change(Options o) {
        Options changed = shortcuts.change(unclip.change(picking.change(pictures.change(changes.to(o)))));
        return seed.isEmpty() ? changed : changed.withSeed(seed.get(0));
    }

    /** The prompt with what is given besides its text. */
    Prompt change(Prompt prompt) {
        return unclip.addTo(pictures.addTo(negative.isEmpty() ? prompt : prompt.withNegative(negative.get(0))));
    }

    /** Whether it says how far a prompt is turned. */
    boolean saysHowFar() {
        return unclip.saysHowFar();
    }

    boolean hasSeed() {
        return !seed.isEmpty();
    }
}
