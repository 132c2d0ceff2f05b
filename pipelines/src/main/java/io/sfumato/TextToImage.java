package io.sfumato;

import io.sfumato.families.Families;
import io.sfumato.hub.ModelUri;
import io.sfumato.image.Image;
import java.util.List;

/**
 * A model that draws pictures from text.
 *
 * <pre>{@code
 * try (TextToImage model = TextToImage.load("builtin:clipart-world")) {
 *     Image image = model.generate(Prompt.of("a red apple left of a blue house"), Options.defaults().withSeed(7));
 * }
 * }</pre>
 *
 * Weights are immutable; {@code generate} may be called from many threads, which take turns.
 */
public interface TextToImage extends AutoCloseable {
    /**
     * The embedded model that is small enough for unit tests, {@code builtin:first-light}: module {@code bundled} must be on the class
     * path. {@code builtin:clipart-world} draws better, and larger.
     */
    static TextToImage embedded() {
        return load(ModelUri.SMALL);
    }

    /** Opens a model folder, a single file, or {@code builtin:NAME}. */
    static TextToImage load(String uri) {
        return load(uri, LoadOptions.defaults());
    }

    /**
     * Opens a model.
     *
     * @throws io.sfumato.io.CheckpointException for a folder that is no model, or a damaged one, naming the file and what is wrong
     */
    static TextToImage load(String uri, LoadOptions options) {
        return Families.load(ModelUri.resolve(uri, options.hints()), options);
    }

    /** What the model's folder would have: nothing in it is left to be filled in. */
    Options defaults();

    /**
     * The options with what they leave to the model, or to the pictures of the prompt, filled in.
     *
     * @throws IllegalArgumentException for options that this model cannot follow, or pictures that it does not take, in one line
     */
    Options complete(Prompt prompt, Options wanted);

    /**
     * Draws {@code options.count()} pictures for each prompt, as one batch, in the order of the prompts. Where one comes with a
     * picture, all do.
     *
     * @param trace takes the numbers of every step; see {@link Trace}
     */
    List<Image> generate(List<Prompt> prompts, Options options, Listener listener, Trace trace);

    /**
     * Draws, makes the latents as large as {@code second} has it, and draws over them: {@link HiresFix} without a picture in between.
     *
     * @throws IllegalArgumentException for models that cannot begin with latents
     */
    default List<Image> generate(List<Prompt> prompts, Options first, HiresUpscaler.OfLatents upscaler, Options second,
            Listener listener, Trace trace) {
        throw new IllegalArgumentException("hires upscaler '" + upscaler.name() + "': this model cannot begin with latents;"
                + " Lanczos, Bicubic and Bilinear enlarge the picture");
    }

    /** Draws {@code options.count()} pictures of {@code prompt} as one batch. */
    default List<Image> generate(Prompt prompt, Options options, Listener listener) {
        return generate(List.of(prompt), options, listener, Trace.none());
    }

    /** Draws one picture. */
    default Image generate(Prompt prompt, Options options) {
        return generate(prompt, options.withCount(1), Listener.none()).get(0);
    }

    /**
     * Draws every wish, those alike together, and gives the pictures in the order of the wishes.
     *
     * @param most pictures drawn at once; fewer where memory is short
     */
    default List<Image> generate(List<Wish> wishes, int most, Listener listener) {
        Image[] images = new Image[wishes.stream().mapToInt(wish -> wish.options().count()).sum()];
        for (Batch batch : Batch.plan(this, wishes, (prompt, o) -> o.count() <= most && fits(prompt, o))) {
            List<Image> drawn = generate(batch.prompts(), batch.options(), listener, Trace.none());
            for (int i = 0; i < drawn.size(); i++) {
                images[batch.places().get(i)] = drawn.get(i);
            }
        }
        return List.of(images);
    }

    /** Whether the memory that is left now takes what drawing so needs above the weights; yes where a model does not foretell it. */
    default boolean fits(Prompt prompt, Options options) {
        return true;
    }

    @Override
    void close();
}
