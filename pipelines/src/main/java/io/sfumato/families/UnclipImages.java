package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.models.clip.ClipVision;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;

/** Pictures as CLIP sees them, for models of the unCLIP kind: their place in its space. */
final class UnclipImages implements AutoCloseable {
    private final LoadOptions load;
    private final ClipVision.Config config;
    private final ClipPixels pixels;
    private final Part<ClipVision> encoder;

    /** @param pixels the component with the {@code preprocessor_config.json} */
    UnclipImages(ModelFolder folder, String pixels, LoadOptions load, boolean stays) {
        this.load = load;
        config = ClipVision.Config.of(folder.config("image_encoder"));
        this.pixels = ClipPixels.read(folder.folder(pixels).resolve("preprocessor_config.json"));
        encoder = new Part<>(recipe(folder, load), stays);
    }

    static Part.Recipe<ClipVision> recipe(ModelFolder folder, LoadOptions load) {
        ClipVision.Config config = ClipVision.Config.of(folder.config("image_encoder"));
        return new Part.Recipe<>(() -> folder.weights("image_encoder"), w -> new ClipVision(w, config),
                name -> name.endsWith(ClipVision.POSITION_IDS), load.dtype(), load.device());
    }

    /** Width of the embeddings. */
    int width() {
        return config.projection();
    }

    /** Embeddings of pictures, (B, E). */
    Tensor embed(List<Image> pictures) {
        return encoder.use(network -> {
            try (var scope = new Scope()) {
                return scope.keep(Tensor.cat(0, pictures.stream().map(pixels::of)
                        .map(x -> network.embed(x.to(load.dtype()).to(load.device()))).toArray(Tensor[]::new)));
            }
        });
    }

    /** Embeddings of what each prompt has as {@code role}, {@code count} times each, (prompts x count, E). */
    Tensor seen(List<Prompt> prompts, Prompt.Role role, int count) {
        return embed(prompts.stream().map(p -> p.picture(role)).toList()).repeatInterleave(count, 0);
    }

    /** The embedding of a picture of zeros, (1, E). */
    Tensor nothing() {
        return encoder.use(network -> {
            try (var scope = new Scope()) {
                Tensor zeros = Tensor.zeros(1, config.channels(), config.size(), config.size());
                return scope.keep(network.embed(zeros.to(load.dtype()).to(load.device())));
            }
        });
    }

    @Override
    public void close() {
        encoder.close();
    }
}
