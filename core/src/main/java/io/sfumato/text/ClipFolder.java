package io.sfumato.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.sfumato.io.FileWrite;
import io.sfumato.text.ClipTokenizer.SpecialTokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A tokenizer folder as transformers 5 reads it. Where two files tell the same: tokenizer.json goes before vocab.json and merges.txt, and
 * added_tokens_decoder in tokenizer_config.json before special_tokens_map.json, added_tokens.json and the list in tokenizer.json.
 */
final class ClipFolder {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** The keys for tokens with a role, in the order that transformers goes through them, and what they are where a folder is silent. */
    private static final Map<String, String> ROLES = new LinkedHashMap<>();
    private static final int DEFAULT_LENGTH = 77;

    static {
        ROLES.put("bos_token", SpecialTokens.CLIP.bos());
        ROLES.put("eos_token", SpecialTokens.CLIP.eos());
        ROLES.put("unk_token", SpecialTokens.CLIP.unk());
        ROLES.put("sep_token", "");
        ROLES.put("pad_token", SpecialTokens.CLIP.pad());
        ROLES.put("cls_token", "");
        ROLES.put("mask_token", "");
    }

    private final Path folder;
    private final JsonNode model;                                        // tokenizer.json, missing if there is none
    private final JsonNode config;
    private final JsonNode specialTokens;

    /** An added token and the id that the folder claims for it. */
    private record Claim(int id, AddedToken token, String source) { }

    ClipFolder(Path folder) {
        this.folder = folder;
        this.model = readIfThere("tokenizer.json");
        this.config = readIfThere("tokenizer_config.json");
        this.specialTokens = config.has("added_tokens_decoder") ? MissingNode.getInstance() : readIfThere("special_tokens_map.json");
    }

    /** Writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json of a vocabulary in CLIP's order: where the first is, all are. */
    static void write(Path folder, List<BytePairs.Merge> merges, SpecialTokens special, int maxLength) {
        var roles = new TreeMap<String, Object>(Map.of("bos_token", special.bos(), "eos_token", special.eos(),
                "unk_token", special.unk(), "pad_token", special.pad()));
        var config = new TreeMap<>(roles);
        config.putAll(Map.of("add_prefix_space", false, "do_lower_case", true, "errors", "replace", "model_max_length", maxLength,
                "tokenizer_class", "CLIPTokenizer"));
        try {
            Files.createDirectories(folder);
            var lines = Stream.concat(Stream.of("#version: 0.2"), merges.stream().map(merge -> merge.left() + " " + merge.right()));
            var pretty = JSON.writerWithDefaultPrettyPrinter();
            FileWrite.whole(folder.resolve("merges.txt"), String.join("\n", lines.toList()) + "\n");
            FileWrite.whole(folder.resolve("tokenizer_config.json"), pretty.writeValueAsBytes(config));
            FileWrite.whole(folder.resolve("special_tokens_map.json"), pretty.writeValueAsBytes(roles));
            FileWrite.whole(folder.resolve("vocab.json"), JSON.writeValueAsBytes(ClipTokenizer.vocabulary(merges)));
        } catch (IOException e) {
            throw new UncheckedIOException("the tokenizer cannot be written to %s: %s".formatted(folder, e.getMessage()), e);
        }
    }

    ClipTokenizer tokenizer() {
        BytePairs pairs = model.isMissingNode() ? fromTwoFiles() : fromTokenizerJson();
        List<Claim> claims = claims();
        var tokenizer = new ClipTokenizer(pairs, tokens(claims), special(), maxLength());
        for (Claim claim : claims) {
            int id = tokenizer.id(claim.token().content());
            if (id != claim.id()) {
                throw new IllegalArgumentException("%s: the added token \"%s\" claims the id %d, but its place is %d"
                        .formatted(claim.source(), claim.token().content(), claim.id(), id));
            }
        }
        return tokenizer;
    }

    private BytePairs fromTwoFiles() {
        Map<String, Integer> vocabulary = ids(read("vocab.json"), name("vocab.json"));
        Path merges = needed("merges.txt");
        var list = new ArrayList<BytePairs.Merge>();
        try {
            for (String line : Files.readAllLines(merges)) {
                if (!line.startsWith("#version") && !line.isEmpty()) {
                    list.add(ClipTokenizer.merge(line, merges.toString()));
                }
            }
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(merges + " is no UTF-8 text", e);
        } catch (IOException e) {
            throw new UncheckedIOException(merges + " cannot be read: " + e.getMessage(), e);
        }
        return new BytePairs(vocabulary, list, name("vocab.json") + " with merges.txt");
    }

    private BytePairs fromTokenizerJson() {
        String source = name("tokenizer.json");
        JsonNode bpe = model.path("model");
        String suffix = bpe.path("end_of_word_suffix").asText("");
        if (!bpe.path("type").asText("BPE").equals("BPE") || !suffix.equals(BytePairs.END)) {
            throw new IllegalArgumentException("%s: model type \"%s\" with end_of_word_suffix \"%s\" is not CLIP's; \"BPE\" with \"%s\" is"
                    .formatted(source, bpe.path("type").asText(), suffix, BytePairs.END));
        }
        var merges = new ArrayList<BytePairs.Merge>();
        for (JsonNode merge : bpe.path("merges")) {
            boolean split = merge.isArray() && merge.size() == 2;        // two spellings of the same: "a b" and ["a", "b"]
            merges.add(split ? new BytePairs.Merge(merge.get(0).asText(), merge.get(1).asText())
                    : ClipTokenizer.merge(merge.asText(), source));
        }
        return new BytePairs(ids(bpe.path("vocab"), source), merges, source);
    }

    /** The tokens that the folder adds, with their ids, in the order of the ids. */
    private List<Claim> claims() {
        var claims = new ArrayList<Claim>();
        if (config.has("added_tokens_decoder")) {
            String source = name("tokenizer_config.json");
            config.get("added_tokens_decoder").properties().forEach(field ->
                    claims.add(new Claim(number(field.getKey(), source), declared(field.getValue(), source), source)));
        } else {
            String source = name("tokenizer.json");
            model.path("added_tokens").forEach(node ->
                    claims.add(new Claim(number(node.path("id").asText(), source), declared(node, source), source)));
            var known = new HashSet<String>();
            claims.forEach(claim -> known.add(claim.token().content()));
            var special = new HashSet<String>();
            specialTokens().forEach(token -> special.add(token.content()));
            String legacy = name("added_tokens.json");
            ids(readIfThere("added_tokens.json"), legacy).forEach((content, id) -> {
                if (known.add(content)) {
                    claims.add(new Claim(id, special.contains(content) ? AddedToken.special(content) : AddedToken.plain(content), legacy));
                }
            });
        }
        return claims.stream().sorted(Comparator.comparingInt(Claim::id)).toList();
    }

    /** The claimed tokens, then those that only have a role: a token that has several takes the properties of the last. */
    private List<AddedToken> tokens(List<Claim> claims) {
        var claimed = claims.stream().map(Claim::token).toList();
        var contents = claimed.stream().map(AddedToken::content).toList();
        return Stream.concat(claimed.stream(), specialTokens().stream().distinct()
                .filter(token -> !contents.contains(token.content()))).toList();
    }

    private List<AddedToken> specialTokens() {
        var tokens = new ArrayList<AddedToken>();
        ROLES.forEach((role, usual) -> {
            if (hasRole(role)) {
                tokens.add(token(role(role), true, name("")));
            } else if (!usual.isEmpty()) {
                tokens.add(AddedToken.special(usual));
            }
        });
        for (String key : List.of("additional_special_tokens", "extra_special_tokens")) {
            role(key).forEach(node -> tokens.add(token(node, true, name(""))));
        }
        return tokens;
    }

    private SpecialTokens special() {
        return new SpecialTokens(content("bos_token"), content("eos_token"), content("unk_token"), content("pad_token"));
    }

    private String content(String role) {
        return hasRole(role) ? token(role(role), true, name("")).content() : ROLES.get(role);
    }

    private boolean hasRole(String role) {
        return !role(role).isMissingNode() && !role(role).isNull();
    }

    private JsonNode role(String role) {
        return specialTokens.has(role) ? specialTokens.get(role) : config.path(role);
    }

    /** A length of 10^30 stands for none in these files. */
    private int maxLength() {
        JsonNode length = config.path("model_max_length");
        return length.isNumber() && length.asDouble() <= Integer.MAX_VALUE ? length.asInt() : DEFAULT_LENGTH;
    }

    private static AddedToken declared(JsonNode node, String source) {
        return token(node, node.path("special").asBoolean(), source);
    }

    private static AddedToken token(JsonNode node, boolean special, String source) {
        if (node.isTextual() && !node.asText().isEmpty()) {
            return AddedToken.special(node.asText());
        }
        if (node.path("content").asText().isEmpty()) {
            throw new IllegalArgumentException("%s: %s is no token; a text or an object with \"content\" is needed"
                    .formatted(source, node));
        }
        return new AddedToken(node.get("content").asText(), special, node.path("normalized").asBoolean(!special),
                node.path("single_word").asBoolean(), node.path("lstrip").asBoolean(), node.path("rstrip").asBoolean());
    }

    /** A JSON object of tokens and their ids; a missing one has none. */
    private static Map<String, Integer> ids(JsonNode node, String source) {
        if (!node.isObject() && !node.isMissingNode()) {
            throw new IllegalArgumentException("%s: the vocabulary is no JSON object of tokens and ids".formatted(source));
        }
        var ids = new LinkedHashMap<String, Integer>();
        node.properties().forEach(field -> {
            if (!field.getValue().isInt()) {
                throw new IllegalArgumentException("%s: the id of \"%s\" is %s, not a whole number"
                        .formatted(source, field.getKey(), field.getValue()));
            }
            ids.put(field.getKey(), field.getValue().asInt());
        });
        return ids;
    }

    private static int number(String id, String source) {
        try {
            return Integer.parseInt(id);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s: the id \"%s\" of an added token is not a whole number".formatted(source, id), e);
        }
    }

    private String name(String file) {
        return folder.resolve(file).toString();
    }

    private JsonNode readIfThere(String file) {
        return Files.exists(folder.resolve(file)) ? read(file) : MissingNode.getInstance();
    }

    private JsonNode read(String file) {
        try {
            JsonNode node = JSON.readTree(Files.readString(needed(file)));
            if (node.isMissingNode()) {
                throw new IllegalArgumentException(name(file) + " is no JSON: it is empty");
            }
            return node;
        } catch (JsonProcessingException e) {
            String fault = e.getOriginalMessage().lines().findFirst().orElse("");
            throw new IllegalArgumentException("%s is no JSON: %s".formatted(name(file), fault), e);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(name(file) + " is no UTF-8 text", e);
        } catch (IOException e) {
            throw new UncheckedIOException("%s cannot be read: %s".formatted(name(file), e.getMessage()), e);
        }
    }

    private Path needed(String file) {
        Path path = folder.resolve(file);
        if (!Files.exists(path)) {
            throw new UncheckedIOException(path + " is missing; a CLIP tokenizer is vocab.json and merges.txt, or tokenizer.json",
                    new NoSuchFileException(path.toString()));
        }
        return path;
    }
}
