package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** An Imagen's folder in the making: {@code tokenizer}, {@code text_encoder}, and a folder for each stage. */
record ImagenFolder(Path path) {
    private static final List<String> SPECIAL = List.of("<pad>", "</s>", "<unk>");
    /** Letters are for words that the captions did not have. */
    private static final double LETTER_SCORE = -20;

    Path weights(String component) {
        return path.resolve(component).resolve(component.equals("text_encoder") ? "model.safetensors" : "diffusion_pytorch_model.safetensors");
    }

    void write(String component, Map<String, Tensor> parameters) {
        try (Scope scope = new Scope()) {
            Map<String, Tensor> plain = new LinkedHashMap<>();
            parameters.forEach((name, x) -> plain.put(name, x.detach().contiguous()));
            ConfigFiles.create(path.resolve(component));
            SafeTensors.write(weights(component), plain, Map.of("format", "pt"));
        }
    }

    void writeConfigs(ImagenRecipe recipe, int vocabulary) {
        var stages = recipe.stages();
        json("model_index.json", Map.of("_class_name", "ImagenPipeline", "stages", List.copyOf(stages.keySet()), "prompt_length",
                recipe.text().length()));
        stages.forEach((name, config) -> json(name + "/config.json", config));
        T5Encoder.Config t5 = recipe.text().config(vocabulary);
        Map<String, Object> text = new LinkedHashMap<>();
        text.put("vocab_size", vocabulary);
        text.put("d_model", t5.width());
        text.put("d_kv", t5.headWidth());
        text.put("d_ff", t5.hidden());
        text.put("num_layers", t5.layers());
        text.put("num_heads", t5.heads());
        text.put("feed_forward_proj", "gated-gelu");
        json("text_encoder/config.json", text);
        json("sfumato.json", Map.of("steps", 40, "guidance", 3.0));
        ConfigFiles.nouns(path, recipe.world().nouns());
    }

    /** A unigram vocabulary of the captions' words, by how often they occur; returns its size. */
    int writeTokenizer(Stream<String> captions) {
        Map<String, Integer> words = new TreeMap<>();
        captions.flatMap(caption -> Stream.of(caption.strip().split("\\s+"))).forEach(word -> words.merge("\u2581" + word, 1, Integer::sum));
        double all = words.values().stream().mapToInt(n -> n).sum();
        List<List<Object>> pieces = new ArrayList<>();
        SPECIAL.forEach(token -> pieces.add(List.of(token, 0.0)));
        words.forEach((word, count) -> pieces.add(List.of(word, Math.log(count / all))));
        Stream.concat(Stream.of("\u2581"), "abcdefghijklmnopqrstuvwxyz0123456789.,'-".chars().mapToObj(Character::toString))
                .filter(piece -> !words.containsKey(piece)).forEach(piece -> pieces.add(List.of(piece, LETTER_SCORE)));
        json("tokenizer/tokenizer.json", Map.of("model", Map.of("type", "Unigram", "unk_id", 2, "vocab", pieces)));
        json("tokenizer/tokenizer_config.json", Map.of("extra_ids", 0));
        return pieces.size();
    }

    private void json(String file, Map<String, Object> values) {
        ConfigFiles.json(path.resolve(file), values);
    }
}
