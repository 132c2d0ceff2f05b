package io.sfumato.docs;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.families.ClipScore;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.Stream;

/**
 * Draws docs/imagen/thresholds.jpg and noise-levels.jpg, from the project's folder, and prints the share of saturated values:
 * {@code ImagenPictures MODEL}, of the cascade in miniature. {@code ImagenPictures MODEL CLIP}, with the CLIP in miniature, prints scores,
 * too.
 */
final class ImagenPictures {
    private static final List<String> PROMPTS = List.of("a red apple", "a duck", "a green car", "a house", "a penguin", "a yellow fish",
            "a tree", "a blue balloon");

    private ImagenPictures() {
    }

    public static void main(String[] args) throws IOException {
        Path model = Path.of(args[0]);
        if (args.length == 1) {
            thresholds(model, (picture, prompt) -> Double.NaN);
            levels(model, (picture, prompt) -> Double.NaN);
            return;
        }
        try (ClipScore clip = ClipScore.load(Path.of(args[1]))) {
            thresholds(model, clip::score);
            levels(model, clip::score);
        }
    }

    /** Figure A.9 of the paper: both ways under more and more guidance, of the first stage, whose picture the others keep to. */
    private static void thresholds(Path model, ToDoubleBiFunction<Image, String> clip) throws IOException {
        Sheet sheet = new Sheet(2);
        try (TextToImage clipped = TextToImage.load(firstStage(model, "static").toString());
                TextToImage dynamic = TextToImage.load(firstStage(model, "dynamic").toString())) {
            for (double guidance : new double[] {1, 3, 6, 12}) {
                Options options = clipped.defaults().withGuidance(guidance);
                add(sheet, "static, guidance " + guidance, pictures(clipped, options), clip);
                add(sheet, "dynamic, guidance " + guidance, pictures(dynamic, options), clip);
            }
        }
        sheet.write(Path.of("docs", "imagen", "thresholds.jpg"));
    }

    private static void levels(Path model, ToDoubleBiFunction<Image, String> clip) throws IOException {
        Sheet sheet = new Sheet(1);
        try (TextToImage cascade = TextToImage.load(model.toString())) {
            for (int level : new int[] {0, 100, 300, 600}) {
                add(sheet, "noise level " + level, pictures(cascade, cascade.defaults().withNoiseLevel(level)), clip);
            }
        }
        sheet.write(Path.of("docs", "imagen", "noise-levels.jpg"));
    }

    private static void add(Sheet sheet, String label, List<Image> pictures, ToDoubleBiFunction<Image, String> clip) {
        double score = 0, full = 0;
        for (int i = 0; i < pictures.size(); i++) {
            score += clip.applyAsDouble(pictures.get(i), PROMPTS.get(i)) / pictures.size();
            full += saturated(pictures.get(i)) / pictures.size();
        }
        System.out.printf("%s: %ssaturated %.1f%%%n", label, Double.isNaN(score) ? "" : "CLIPScore %.2f, ".formatted(score), 100 * full);
        sheet.add(label, pictures.stream().map(ImagenPictures::visible).toArray(Image[]::new));
    }

    private static List<Image> pictures(TextToImage cascade, Options options) {
        return PROMPTS.stream().map(prompt -> cascade.generate(Prompt.of(prompt), options.withSeed(5))).toList();
    }

    /** At least 64 pixels: smaller ones are hard to see. */
    private static Image visible(Image picture) {
        return picture.height() < 64 ? picture.resize(64, 64, Resampling.BICUBIC) : picture;
    }

    /** The share of values that are 0 or 255. */
    private static double saturated(Image picture) {
        int full = 0;
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                for (int c = 0; c < 3; c++) {
                    full += picture.at(x, y, c) % 255 == 0 ? 1 : 0;
                }
            }
        }
        return full / (3.0 * picture.width() * picture.height());
    }

    /** A copy of the folder with its first stage alone, which thresholds in that way. */
    private static Path firstStage(Path model, String kind) throws IOException {
        Path copy = Files.createTempDirectory("imagen");
        try (Stream<Path> files = Files.walk(model)) {
            files.filter(Files::isRegularFile).forEach(file -> copy(file, copy.resolve(model.relativize(file).toString()), kind));
        }
        return copy;
    }

    private static void copy(Path from, Path to, String kind) {
        try {
            Files.createDirectories(to.getParent());
            if (from.getFileName().toString().endsWith(".json")) {
                Files.writeString(to, Files.readString(from).replaceAll("(\"threshold\" : )\"[a-z]+\"", "$1\"" + kind + "\"")
                        .replaceAll("(\"stages\" : \\[ \"[^\"]+\")[^]]*]", "$1 ]"));
            } else {
                Files.copy(from, to);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(from + ": cannot be copied: " + e.getMessage(), e);
        }
    }
}
