package io.sfumato.evaluation;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import io.sfumato.training.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A folder of the pictures that a model made. Pictures that are there already are not made again, so a run that was cut off goes on;
 * the folder says in {@code made-by.txt} what they were made by, and pictures of something else are refused.
 */
final class Gallery {
    private static final int BATCH = 25;

    private final Path folder;

    /** @param origin one line that is another for every model and options */
    Gallery(Path folder, String origin) {
        this.folder = folder;
        Path note = folder.resolve("made-by.txt");
        try {
            Files.createDirectories(folder);
            if (!Files.exists(note)) {
                Files.writeString(note, origin);
            }
            String before = Files.readString(note);
            if (!before.equals(origin)) {
                throw new IllegalArgumentException(folder + " holds pictures made by " + before + ", not by " + origin
                        + ": choose another folder");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** A picture for each caption, picture i with seed {@code options.seed() + i}; files are NAME-0000.png and on. */
    List<Image> pictures(String name, List<String> asked, TextToImage model, Options options, Progress progress) {
        List<Path> files = IntStream.range(0, asked.size())
                .mapToObj(i -> folder.resolve(String.format(Locale.ROOT, "%s-%04d.png", name, i))).toList();
        for (int from = 0; from < asked.size(); from += BATCH) {
            int to = Math.min(from + BATCH, asked.size());
            if (!files.subList(from, to).stream().allMatch(Files::exists)) {
                List<Prompt> prompts = asked.subList(from, to).stream().map(Prompt::of).toList();
                Options each = options.withSeed(options.seed() + from).withCount(1).withSeeds(Options.Seeds.EACH);
                List<Image> drawn = model.generate(prompts, each, Listener.none(), Trace.none());
                for (int i = from; i < to; i++) {
                    drawn.get(i - from).write(files.get(i));
                }
            }
            progress.step(name, to, asked.size(), Double.NaN);
        }
        return files.stream().map(Image::read).toList();
    }
}
