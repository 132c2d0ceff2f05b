package io.sfumato.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Typed reading of a model's {@code config.json}. A missing key or a null takes the default; a wrong type is an error that names the
 * key.
 */
public final class ConfigJson {
    /** No size, count or id of a network is larger; lists of that many layers still fit the memory. */
    private static final int LARGEST = 1 << 24;

    private final String source;
    private final JsonNode json;

    public ConfigJson(String source, JsonNode json) {
        this.source = source;
        this.json = json;
    }

    public static ConfigJson read(Path file) {
        return new ConfigJson(file.toString(), JsonFile.read(file));
    }

    /** What to call it in messages: usually its path. */
    public String source() {
        return source;
    }

    /** What was read. */
    public JsonNode json() {
        return json;
    }

    public boolean has(String key) {
        return json.hasNonNull(key);
    }

    /** Whether the key is there with the value null, as opposed to missing. */
    public boolean isNull(String key) {
        return json.has(key) && json.get(key).isNull();
    }

    /** The object under {@code key}; an empty one where it is missing. */
    public ConfigJson child(String key) {
        JsonNode node = json.path(key);
        if (has(key) && !node.isObject()) {
            throw wrong(key, node, "an object");
        }
        return new ConfigJson(source + ": " + key, node);
    }

    /** A number that has no default. */
    public int integer(String key) {
        return integer(key, json.path(key));
    }

    public int integer(String key, int otherwise) {
        return has(key) ? integer(key, json.get(key)) : otherwise;
    }

    /** One number for all, or a list of exactly {@code n}. */
    public int[] integers(String key, int n, int otherwise) {
        if (!has(key) || json.get(key).isNumber()) {
            int[] all = new int[n];
            Arrays.fill(all, integer(key, otherwise));
            return all;
        }
        int[] values = integers(key);
        if (values.length != n) {
            throw wrong(key, json.get(key), "one whole number or " + n + " of them");
        }
        return values;
    }

    /** A list of whole numbers. */
    public int[] integers(String key) {
        JsonNode node = json.path(key);
        if (!node.isArray() || node.isEmpty()) {
            throw wrong(key, node, "a list of whole numbers");
        }
        int[] values = new int[node.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = integer(key, node.get(i));
        }
        return values;
    }

    /** A list of whole numbers, which may be missing or empty. */
    public int[] integersOrNone(String key) {
        return has(key) && !json.get(key).isEmpty() ? integers(key) : new int[0];
    }

    private int integer(String key, JsonNode node) {
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw wrong(key, node, "a whole number");
        }
        if (Math.abs((long) node.intValue()) > LARGEST) {
            throw wrong(key, node, "a whole number of at most " + LARGEST);
        }
        return node.intValue();
    }

    public double number(String key, double otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        if (!json.get(key).isNumber()) {
            throw wrong(key, json.get(key), "a number");
        }
        return json.get(key).doubleValue();
    }

    public boolean flag(String key, boolean otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        if (!json.get(key).isBoolean()) {
            throw wrong(key, json.get(key), "true or false");
        }
        return json.get(key).booleanValue();
    }

    /** One flag for all, or a list of exactly {@code n}. */
    public boolean[] flags(String key, int n, boolean otherwise) {
        boolean[] values = new boolean[n];
        if (!has(key) || json.get(key).isBoolean()) {
            Arrays.fill(values, flag(key, otherwise));
            return values;
        }
        JsonNode node = json.get(key);
        if (!node.isArray() || node.size() != n) {
            throw wrong(key, node, "true, false, or a list of " + n);
        }
        for (int i = 0; i < n; i++) {
            if (!node.get(i).isBoolean()) {
                throw wrong(key, node, "true, false, or a list of " + n);
            }
            values[i] = node.get(i).booleanValue();
        }
        return values;
    }

    public String text(String key, String otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        if (!json.get(key).isTextual()) {
            throw wrong(key, json.get(key), "a string");
        }
        return json.get(key).textValue();
    }

    public List<String> texts(String key) {
        JsonNode node = json.path(key);
        if (!node.isArray()) {
            throw wrong(key, node, "a list of strings");
        }
        return json.get(key).valueStream().map(JsonNode::asText).toList();
    }

    /**
     * Refuses every value of {@code key} but {@code supported}; a missing key or a null passes.
     *
     * @throws CheckpointException naming the key and its value
     */
    public void require(String key, Object supported) {
        if (has(key) && !json.get(key).asText().equals(String.valueOf(supported))) {
            throw wrong(key, json.get(key), supported + " (nothing else is supported)");
        }
    }

    /** The error for a value that this config cannot have. */
    public CheckpointException wrong(String key, Object value, String wanted) {
        return new CheckpointException(source + ": key '" + key + "' is " + value + ", where " + wanted + " is wanted");
    }
}
