package io.sfumato.training;

import io.sfumato.Listener;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.List;

/** What a model in training draws for the recipe's prompts, always from the same noise: one picture that shows how far it is. */
final class SampleSheet {
    private static final int STEPS = 20;

    private SampleSheet() {
    }

    /** Draws {@code prompts} with the model in {@code folder}, row by row, into the picture file {@code file}. */
    static void draw(Path folder, List<String> prompts, Path file) {
        try (TextToImage model = TextToImage.load(folder.toString())) {
            List<Image> images = model.generate(prompts.stream().map(Prompt::of).toList(), model.defaults().withSteps(STEPS),
                    Listener.none(), Trace.none());
            Image.grid(images, (int) Math.ceil(Math.sqrt(images.size()))).write(file);
        }
    }
}
