package io.sfumato.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary and merges of whole characters (Sennrich et al. 2016, 3.2), from a {@code vocab.json} and a {@code merges.txt}. Unlike
 * {@link BytePairs}, letters are not bytes: one that the vocabulary lacks is unknown.
 */
final class MergedPairs {
    private final Map<String, Integer> vocabulary = new HashMap<>();
    private final Map<List<String>, Integer> ranks = new HashMap<>();
    private final String source;

    MergedPairs(Path vocab, Path merges) {
        source = vocab.toString();
        try {
            JsonNode json = new ObjectMapper().readTree(Files.readAllBytes(vocab));
            json.properties().forEach(e -> vocabulary.put(e.getKey(), e.getValue().asInt()));
            for (String line : Files.readAllLines(merges)) {
                String[] pair = line.split(" ");
                if (!line.startsWith("#version") && !line.isBlank()) {
                    if (pair.length != 2) {
                        throw new IllegalArgumentException(merges + ": \"" + line + "\" is no pair to merge");
                    }
                    ranks.putIfAbsent(List.of(pair), ranks.size());
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(vocab + ": no JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(e.getFile() + ": there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException(vocab.getParent() + ": the tokenizer cannot be read: " + e.getMessage(), e);
        }
    }

    /** The id of a token that must be there. */
    int id(String token) {
        if (!vocabulary.containsKey(token)) {
            throw new IllegalArgumentException(source + ": the vocabulary has no " + token);
        }
        return vocabulary.get(token);
    }

    int size() {
        return vocabulary.size();
    }

    /** Joins, again and again, the pair that was learnt first; then the ids, or {@code unknown}. */
    List<Integer> ids(List<String> letters, int unknown) {
        List<String> symbols = new ArrayList<>(letters);
        while (symbols.size() > 1) {
            int best = -1, rank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int r = ranks.getOrDefault(List.of(symbols.get(i), symbols.get(i + 1)), Integer.MAX_VALUE);
                if (r < rank) {
                    best = i;
                    rank = r;
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
        return symbols.stream().map(symbol -> vocabulary.getOrDefault(symbol, unknown)).toList();
    }
}
