package io.sfumato.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.sfumato.io.JsonFile;
import io.sfumato.text.SentencePieceModel.Piece;
import io.sfumato.text.SentencePieceModel.Type;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A T5 tokenizer's folder as transformers 5 reads it: pieces and normalization rules from tokenizer.json, or else from spiece.model, to
 * which the sentinel tokens are appended, the last one first; special tokens from added_tokens_decoder in tokenizer_config.json, or
 * else from special_tokens_map.json and tokenizer_config.json.
 */
final class T5Folder {
    private static final int SENTINELS = 100;

    private final Path folder;
    private final JsonNode config;
    private final JsonNode specialTokens;

    T5Folder(Path folder) {
        this.folder = folder;
        config = readIfThere("tokenizer_config.json");
        specialTokens = readIfThere("special_tokens_map.json");
    }

    T5Tokenizer.Parts parts() {
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            return ofTokenizerJson();
        }
        if (!Files.exists(folder.resolve("spiece.model"))) {
            throw new UncheckedIOException(folder.resolve("spiece.model") + " is missing; a T5 tokenizer is spiece.model or tokenizer.json",
                    new NoSuchFileException(folder.toString()));
        }
        return ofModel(SentencePieceModel.read(folder.resolve("spiece.model")));
    }

    private T5Tokenizer.Parts ofModel(SentencePieceModel model) {
        var pieces = new ArrayList<>(model.pieces().stream().map(Piece::spelling).toList());
        var scores = new ArrayList<>(model.pieces().stream().map(piece -> (double) piece.score()).toList());
        for (int i = sentinels() - 1; i >= 0; i--) {
            pieces.add(sentinel(i));
            scores.add(0.0);
        }
        int unknown = IntStream.range(0, model.pieces().size()).filter(i -> model.pieces().get(i).type() == Type.UNKNOWN)
                .findFirst().orElseThrow();
        return parts(pieces, scores, unknown, new CharsMap(model.charsMap(), model.source()));
    }

    private T5Tokenizer.Parts ofTokenizerJson() {
        Path file = folder.resolve("tokenizer.json");
        JsonNode json = JsonFile.read(file), model = json.path("model");
        if (!model.path("type").asText("Unigram").equals("Unigram") || !model.path("vocab").isArray()) {
            throw new IllegalArgumentException("%s: model type \"%s\" is not T5's; \"Unigram\" with a list of pieces and scores is"
                    .formatted(file, model.path("type").asText()));
        }
        var pieces = new ArrayList<String>();
        var scores = new ArrayList<Double>();
        for (JsonNode piece : model.get("vocab")) {
            if (piece.size() != 2 || !piece.get(0).isTextual() || !piece.get(1).isNumber()) {
                throw new IllegalArgumentException("%s: %s in the vocabulary is not a piece with its score".formatted(file, piece));
            }
            pieces.add(piece.get(0).asText());
            scores.add(piece.get(1).asDouble());
        }
        int unknown = model.path("unk_id").asInt(-1);
        if (unknown < 0 || unknown >= pieces.size()) {
            throw new IllegalArgumentException("%s: unk_id is %s, where one of the %d pieces is wanted"
                    .formatted(file, model.path("unk_id"), pieces.size()));
        }
        return parts(pieces, scores, unknown, new CharsMap(charsMap(json.path("normalizer"), file), file.toString()));
    }

    private static byte[] charsMap(JsonNode normalizer, Path file) {
        JsonNode all = normalizer.path("normalizers");
        for (JsonNode each : all.isArray() ? all : List.of(normalizer)) {
            if (each.path("type").asText().equals("Precompiled")) {
                try {
                    return Base64.getDecoder().decode(each.path("precompiled_charsmap").asText());
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException(file + ": precompiled_charsmap is no base64: " + e.getMessage(), e);
                }
            }
        }
        return new byte[0];
    }

    private T5Tokenizer.Parts parts(List<String> pieces, List<Double> scores, int unknown, CharsMap rules) {
        String end = content("eos_token", "</s>"), padding = content("pad_token", "<pad>");
        Map<String, AddedToken> added = new LinkedHashMap<>();
        config.path("added_tokens_decoder").forEach(node -> add(added, node));
        for (String special : List.of(end, content("unk_token", "<unk>"), padding)) {
            added.putIfAbsent(special, AddedToken.special(special));
        }
        additional().forEach(node -> {
            if (!added.containsKey(text(node))) {
                add(added, node);
            }
        });
        IntStream.range(0, sentinels()).mapToObj(T5Folder::sentinel).forEach(token -> added.putIfAbsent(token, AddedToken.special(token)));
        return new T5Tokenizer.Parts(pieces, scores, unknown, rules, List.copyOf(added.values()), end, padding);
    }

    private void add(Map<String, AddedToken> added, JsonNode node) {
        if (text(node).isEmpty()) {
            throw new IllegalArgumentException("%s: %s is no token; a text or an object with \"content\" is needed".formatted(folder, node));
        }
        added.put(text(node), new AddedToken(text(node), true, false, node.path("single_word").asBoolean(),
                node.path("lstrip").asBoolean(), node.path("rstrip").asBoolean()));
    }

    /** How many sentinel tokens there are: extra_ids, unless the folder lists them itself. */
    private int sentinels() {
        long listed = IntStream.range(0, additional().size()).filter(i -> text(additional().get(i)).contains("<extra_id_")).count();
        return listed > 0 ? (int) listed : config.path("extra_ids").asInt(SENTINELS);
    }

    private static String sentinel(int i) {
        return "<extra_id_" + i + ">";
    }

    private JsonNode additional() {
        return role("additional_special_tokens");
    }

    private String content(String role, String otherwise) {
        String text = text(role(role));
        return text.isEmpty() ? otherwise : text;
    }

    private JsonNode role(String role) {
        return specialTokens.has(role) ? specialTokens.get(role) : config.path(role);
    }

    private static String text(JsonNode token) {
        return token.isTextual() ? token.asText() : token.path("content").asText();
    }

    private JsonNode readIfThere(String file) {
        return Files.exists(folder.resolve(file)) ? JsonFile.read(folder.resolve(file)) : MissingNode.getInstance();
    }
}
