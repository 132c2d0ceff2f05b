package io.sfumato.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.RenamedTensors;
import io.sfumato.io.RenamedTensors.Part;
import io.sfumato.io.TensorSource;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * A CLIP of both towers, whatever wrote it, as transformers would have: a folder of transformers, a folder of open_clip with its
 * {@code open_clip_config.json}, or OpenAI's file.
 *
 * @param config    of a {@code CLIPModel}
 * @param pixels    as in {@code preprocessor_config.json}
 * @param weights   under the names of a {@code CLIPModel}
 */
public record ClipFiles(ConfigJson config, ConfigJson pixels, Supplier<TensorSource> weights, ClipTokenizer tokenizer) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String OPEN_CLIP = "open_clip_config.json";
    private static final List<String> OPEN_CLIP_WEIGHTS = List.of("open_clip_model.safetensors", "open_clip_pytorch_model.bin");
    /** What is in OpenAI's archives besides: sizes, as numbers. */
    private static final Set<String> OPENAI_EXTRAS = Set.of("input_resolution", "context_length", "vocab_size");
    private static final Set<String> TEXT_KEYS = Set.of("context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "eos_id");
    private static final Set<String> PICTURE_KEYS = Set.of("image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio",
            "patch_dropout");
    private static final List<Double> MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
    private static final List<Double> DEVIATION = List.of(0.26862954, 0.26130258, 0.27577711);
    private static final int LARGEST_ID = 2;
    private static final int HEAD = 64;

    /** @throws CheckpointException for what is no CLIP, naming what is missing or wrong */
    public static ClipFiles open(Path path) {
        if (Files.isRegularFile(path)) {
            return openAi(path);
        }
        if (Files.exists(path.resolve("config.json"))) {
            return new ClipFiles(ConfigJson.read(path.resolve("config.json")), ConfigJson.read(path.resolve("preprocessor_config.json")),
                    () -> DiffusersFolder.weightsIn(path), ClipTokenizer.load(path));
        }
        if (Files.exists(path.resolve(OPEN_CLIP))) {
            return openClip(path);
        }
        throw new CheckpointException(path + ": no CLIP: a folder with config.json or " + OPEN_CLIP + ", or OpenAI's file, is wanted");
    }

    private static ClipFiles openClip(Path folder) {
        ConfigJson json = ConfigJson.read(folder.resolve(OPEN_CLIP)), model = json.child("model_cfg"), shown = json.child("preprocess_cfg");
        ConfigJson text = model.child("text_cfg"), picture = model.child("vision_cfg");
        only(text, TEXT_KEYS);
        only(picture, PICTURE_KEYS);
        int size = picture.integer("image_size"), width = picture.integer("width"), textWidth = text.integer("width");
        int head = picture.integer("head_width", HEAD);
        Tower words = new Tower(textWidth, (int) (textWidth * text.number("mlp_ratio", 4)), text.integer("layers"), text.integer("heads"));
        Tower sight = new Tower(width, (int) (width * picture.number("mlp_ratio", 4)), picture.integer("layers"), width / head);
        Sizes sizes = new Sizes(words, text.integer("vocab_size", SingleFile.PUBLISHED_TOKENS), text.integer("context_length", 77), sight,
                size, picture.integer("patch_size"), model.integer("embed_dim"), model.flag("quick_gelu", false));
        Path weights = OPEN_CLIP_WEIGHTS.stream().map(folder::resolve).filter(Files::exists).findFirst().orElseThrow(() ->
                new CheckpointException(folder + ": no weights: there is no " + String.join(", nor ", OPEN_CLIP_WEIGHTS)));
        return new ClipFiles(sizes.config(json.source()), pixels(json.source(), size, numbers(shown, "mean", MEAN),
                numbers(shown, "std", DEVIATION)), () -> renamed(weights, sizes),
                words(folder, json.source(), sizes));
    }

    private static ClipFiles openAi(Path file) {
        try (TensorSource source = TensorSource.open(file)) {
            if (!source.names().contains("visual.conv1.weight") || !source.names().contains("visual.proj")) {
                throw new CheckpointException(file + ": no CLIP of OpenAI with a vision Transformer: there is no tensor 'visual.proj'");
            }
            long[] patches = source.shape("visual.conv1.weight"), words = source.shape("token_embedding.weight");
            int width = (int) patches[0], patch = (int) patches[3], textWidth = (int) words[1];
            int grid = (int) Math.round(Math.sqrt(source.shape("visual.positional_embedding")[0] - 1));
            Tower text = new Tower(textWidth, hidden(source, ""), layers(source, ""), textWidth / HEAD);
            Tower sight = new Tower(width, hidden(source, "visual."), layers(source, "visual."), width / HEAD);
            Sizes sizes = new Sizes(text, (int) words[0], (int) source.shape("positional_embedding")[0], sight, grid * patch, patch,
                    (int) source.shape("visual.proj")[1], true);
            return new ClipFiles(sizes.config(file.toString()), pixels(file.toString(), grid * patch, MEAN, DEVIATION),
                    () -> renamed(file, sizes), words(file.toAbsolutePath().getParent(), file.toString(), sizes));
        }
    }

    private static int hidden(TensorSource source, String tower) {
        return (int) source.shape(tower + "transformer.resblocks.0.mlp.c_fc.weight")[0];
    }

    private static int layers(TensorSource source, String tower) {
        return (int) source.names().stream().filter(name -> name.startsWith(tower + "transformer.resblocks.")
                && name.endsWith(".ln_1.weight")).count();
    }

    private static void only(ConfigJson json, Set<String> known) {
        Set<String> others = new TreeSet<>();
        json.json().fieldNames().forEachRemaining(others::add);
        others.removeAll(known);
        if (!others.isEmpty()) {
            throw new CheckpointException(json.source() + ": the keys " + others + " are not supported; known are "
                    + new TreeSet<>(known));
        }
    }

    private static Object numbers(ConfigJson json, String key, List<Double> otherwise) {
        return json.has(key) ? json.json().get(key) : otherwise;
    }

    private static ConfigJson pixels(String source, int size, Object mean, Object deviation) {
        return json(source, Map.of("do_resize", true, "do_center_crop", true, "do_rescale", true, "do_normalize", true, "resample", 3,
                "size", size, "crop_size", size, "image_mean", mean, "image_std", deviation));
    }

    private static ConfigJson json(String source, Map<String, Object> values) {
        return new ConfigJson(source, JSON.valueToTree(values));
    }

    /** The vocabulary in {@code folder}, or else the published one. */
    private static ClipTokenizer words(Path folder, String source, Sizes sizes) {
        if (Files.exists(folder.resolve("tokenizer.json")) || Files.exists(folder.resolve("vocab.json"))) {
            return ClipTokenizer.load(folder);
        }
        if (sizes.vocabulary != SingleFile.PUBLISHED_TOKENS) {
            throw new CheckpointException(source + ": its text tower knows " + sizes.vocabulary + " tokens, the published vocabulary "
                    + SingleFile.PUBLISHED_TOKENS + ": vocab.json and merges.txt are wanted beside it");
        }
        try (InputStream gzip = SingleFile.published()) {
            return ClipTokenizer.fromMerges(gzip);
        } catch (IOException e) {
            throw new UncheckedIOException("the published vocabulary cannot be read: " + e.getMessage(), e);
        }
    }

    private static TensorSource renamed(Path file, Sizes sizes) {
        TensorSource source = TensorSource.open(file);
        LdmNames names = LdmNames.clip(sizes.text.layers, sizes.picture.layers);
        Map<String, Part> parts = new LinkedHashMap<>();
        for (String name : source.names()) {
            if (name.equals("text_projection") || name.equals("visual.proj")) {
                parts.put(names.rename(name).orElseThrow(), Part.transposed(name));
            } else if (!OPENAI_EXTRAS.contains(name) && !name.equals("attn_mask")) {
                SingleFile.put(parts, names.rename(name).orElse(name), name);
            }
        }
        return new RenamedTensors(source, parts);
    }

    private record Tower(int width, int hidden, int layers, int heads) {
        Map<String, Object> json(Map<String, Object> more) {
            Map<String, Object> all = new LinkedHashMap<>(more);
            all.putAll(Map.of("hidden_size", width, "intermediate_size", hidden, "num_hidden_layers", layers,
                    "num_attention_heads", heads));
            return all;
        }
    }

    private record Sizes(Tower text, int vocabulary, int positions, Tower picture, int size, int patch, int embed, boolean quick) {
        ConfigJson config(String source) {
            String activation = quick ? "quick_gelu" : "gelu";
            return ClipFiles.json(source, Map.of("projection_dim", embed,
                    "text_config", text.json(Map.of("vocab_size", vocabulary, "max_position_embeddings", positions,
                            "hidden_act", activation, "eos_token_id", LARGEST_ID)),
                    "vision_config", picture.json(Map.of("image_size", size, "patch_size", patch, "hidden_act", activation))));
        }
    }
}
