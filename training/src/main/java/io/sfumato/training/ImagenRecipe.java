package io.sfumato.training;

import io.sfumato.models.imagen.EfficientUNet;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.nn.Activation;
import io.sfumato.training.world.WorldConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How to train a small Imagen on clip-art world, as a YAML file says it. Every key is wanted; an unknown one is an error.
 *
 * @param kind        {@value #KIND}: what tells this recipe from others
 * @param clipart     a folder of clip art, or empty for the bundled art
 * @param world       as large as the last stage's pictures
 * @param textDropout share of examples without text, for guidance
 * @param supers      the stages that enlarge, in order
 * @param prompts     what the sample grids draw
 */
public record ImagenRecipe(String kind, String name, long seed, String clipart, WorldConfig world, Text text, double textDropout, Base base,
                           List<Super> supers, List<String> prompts) {
    static final String KIND = "imagen";

    /** The frozen T5, of random weights, and the length of its prompts in words. */
    public record Text(int width, int hidden, int layers, int heads, int length, int captions) {
        T5Encoder.Config config(int vocabulary) {
            return new T5Encoder.Config(vocabulary, width, width / heads, hidden, layers, heads, Activation.GELU_TANH, true, 32, 128, 1e-6);
        }
    }

    /** The first stage: a U-Net whose levels are once, twice and so on as wide. */
    public record Base(int size, int width, int levels, int layers, int headWidth, int groups, String prediction, String threshold,
                       Recipe.Loop loop) {
    }

    /**
     * A stage that enlarges.
     *
     * @param crop     side of the random parts of pictures that it is trained on, {@code size} for whole ones (Saharia et al. 2022, 2.4)
     * @param guidance that it is drawn with
     */
    public record Super(int size, int crop, int width, int[] channels, int[] resBlocks, String attends, int heads, int groups,
                        String schedule, String prediction, String threshold, double guidance, Recipe.Loop loop) {
        EfficientUNet.Config config(int textWidth) {
            return new EfficientUNet.Config(width, channels, resBlocks, EfficientUNet.Attends.valueOf(attends.toUpperCase(Locale.ROOT)),
                    heads, textWidth, groups);
        }
    }

    public ImagenRecipe {
        require(kind.equals(KIND), "kind", kind, KIND);
        require(!prompts.isEmpty(), "prompts", prompts, "at least one prompt");
        require(textDropout >= 0 && textDropout <= 1, "textDropout", textDropout, "0 to 1");
        require(base.levels >= 1 && base.levels * base.width % 32 == 0, "base.width", base.width, "a width that times " + base.levels
                + " levels is a multiple of 32");
        require(base.headWidth >= 1 && base.width % base.headWidth == 0 && text.width % base.headWidth == 0, "base.headWidth", base.headWidth,
                "a divisor of the widths of base and text");
        requirePrediction("base.prediction", base.prediction);
        int before = base.size;
        for (Super each : supers) {
            require(each.size > before && each.size % before == 0, "supers.size", each.size, "a multiple of the " + before
                    + " pixels of the stage before");
            require(each.crop >= each.size / before && each.crop <= each.size && each.crop % (each.size / before) == 0, "supers.crop",
                    each.crop, "a multiple of " + each.size / before + " up to the " + each.size + " pixels of the stage");
            require(List.of("cosine", "linear").contains(each.schedule), "supers.schedule", each.schedule, "cosine or linear");
            requirePrediction("supers.prediction", each.prediction);
            require(List.of("text", "text_and_picture").contains(each.attends), "supers.attends", each.attends, "text or text_and_picture");
            each.config(text.width);
            before = each.size;
        }
        require(world.size() == before, "world.size", world.size(), "the " + before + " pixels of the last stage");
    }

    private static void requirePrediction(String key, String prediction) {
        require(List.of("epsilon", "v").contains(prediction), key, prediction, "epsilon or v");
    }

    private static void require(boolean holds, String key, Object value, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException(key + " is " + value + ", where " + wanted + " is wanted");
        }
    }

    /** @throws IllegalArgumentException naming the loop whose batches {@code processes} cannot share evenly */
    public void requireSharedBy(int processes) {
        List<String> names = List.copyOf(stages().keySet());
        for (int i = 0; i < names.size(); i++) {
            loops().get(i).requireSharedBy(processes, names.get(i) + ".loop");
        }
    }

    /** Whether a recipe's file says that it is of this kind. */
    public static boolean fits(Path file) {
        return Recipe.hasLine(file, line -> line.strip().equals("kind: " + KIND));
    }

    public static ImagenRecipe read(Path file) {
        return Recipe.read(file, ImagenRecipe.class);
    }

    /** How each stage is trained, the first one's first. */
    List<Recipe.Loop> loops() {
        return Stream.concat(Stream.of(base.loop), supers.stream().map(Super::loop)).toList();
    }

    /** The {@code config.json} of each stage's folder, by its name. */
    Map<String, Map<String, Object>> stages() {
        Map<String, Map<String, Object>> stages = new LinkedHashMap<>();
        Map<String, Object> first = new LinkedHashMap<>();
        first.put("_class_name", "ImagenUNet");
        first.put("width", base.width);
        first.put("levels", base.levels);
        first.put("layers", base.layers);
        first.put("head_width", base.headWidth);
        first.put("text_width", text.width);
        first.put("norm_groups", base.groups);
        stages.put("base", told(first, base.size, "cosine", base.prediction, base.threshold));
        for (int i = 0; i < supers.size(); i++) {
            Super each = supers.get(i);
            Map<String, Object> config = each.config(text.width).json();
            config.put("guidance", each.guidance);
            stages.put("super_" + (i + 1), told(config, each.size, each.schedule, each.prediction, each.threshold));
        }
        return stages;
    }

    private static Map<String, Object> told(Map<String, Object> json, int size, String schedule, String prediction, String threshold) {
        json.put("size", size);
        json.put("noise_schedule", schedule);
        json.put("prediction", prediction);
        json.put("threshold", threshold);
        return json;
    }
}
