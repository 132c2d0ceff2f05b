package io.sfumato.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The JSON header of a safetensors file, by the rules of the format's reference reader: every tensor's extent fits its shape and
 * dtype, and together they cover the data without gap or overlap.
 *
 * @param entries by name
 * @param metadata in file order
 */
record SafeTensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    private static final String METADATA = "__metadata__";
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** A tensor and where it lies: {@code begin} and {@code end} in bytes from the end of the header. */
    record Entry(String name, DType dtype, long[] shape, long begin, long end) {
    }

    /**
     * Reads and checks a header.
     *
     * @param dataLength bytes of the file after the header
     * @throws CheckpointException naming the tensor; the file's name is for the caller to put before it
     */
    static SafeTensorsHeader parse(byte[] bytes, long dataLength) {
        JsonNode json = json(bytes);
        Map<String, Entry> entries = new TreeMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (var field : json.properties()) {
            if (field.getKey().equals(METADATA)) {
                readMetadata(field.getValue(), metadata);
            } else {
                entries.put(field.getKey(), entry(field.getKey(), field.getValue()));
            }
        }
        checkLayout(entries.values(), dataLength);
        return new SafeTensorsHeader(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata));
    }

    private static JsonNode json(byte[] bytes) {
        try {
            JsonNode json = JSON.readTree(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
            if (!json.isObject()) {
                throw new CheckpointException("its header is no JSON object");
            }
            return json;
        } catch (CharacterCodingException e) {
            throw new CheckpointException("its header is no UTF-8 text");
        } catch (JsonProcessingException e) {
            throw new CheckpointException("its header is no sound JSON: " + shown(e.getOriginalMessage()));
        }
    }

    private static void readMetadata(JsonNode node, Map<String, String> metadata) {
        if (!node.isObject()) {
            throw new CheckpointException(METADATA + " is no JSON object");
        }
        for (var field : node.properties()) {
            if (!field.getValue().isTextual()) {
                throw new CheckpointException(METADATA + " has " + shown(field.getValue()) + " under '" + shown(field.getKey())
                        + "', where a string is wanted");
            }
            metadata.put(field.getKey(), field.getValue().asText());
        }
    }

    private static Entry entry(String name, JsonNode node) {
        DType dtype = Arrays.stream(DType.values()).filter(d -> d.code().equals(node.path("dtype").asText())).findFirst()
                .orElseThrow(() -> bad(name, "has dtype " + shown(node.path("dtype")) + "; known are "
                        + Arrays.stream(DType.values()).map(DType::code).toList()));
        long[] shape = longs(name, "shape", node.path("shape"));
        long[] offsets = longs(name, "data_offsets", node.path("data_offsets"));
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw bad(name, "has data_offsets " + shown(node.path("data_offsets")) + ", not [begin, end]");
        }
        // A size of zero does not excuse the others: the engine's strides would overflow.
        double extent = Arrays.stream(shape).asDoubleStream().reduce(dtype.bytes(), (a, b) -> a * Math.max(1, b));
        if (extent >= 0x1p62) {
            throw bad(name, "has the absurd shape " + shown(node.path("shape")));
        }
        long size = Arrays.stream(shape).reduce(dtype.bytes(), (a, b) -> a * b);
        if (offsets[1] - offsets[0] != size) {
            throw bad(name, "of shape " + shown(node.path("shape")) + " and dtype " + dtype.code() + " needs " + size
                    + " bytes, its data_offsets give " + (offsets[1] - offsets[0]));
        }
        return new Entry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private static long[] longs(String name, String key, JsonNode node) {
        if (!node.isArray()) {
            throw bad(name, "has no " + key);
        }
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = node.get(i);
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < 0) {
                throw bad(name, "has " + key + " " + shown(node) + ": whole numbers from 0 are wanted");
            }
            values[i] = value.asLong();
        }
        return values;
    }

    private static void checkLayout(Iterable<Entry> entries, long dataLength) {
        List<Entry> sorted = new ArrayList<>();
        entries.forEach(sorted::add);
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long at = 0;
        for (Entry e : sorted) {
            if (e.begin != at) {
                throw bad(e.name, "begins at byte " + e.begin + " of the data, where " + at + " is the next free one: "
                        + (e.begin < at ? "it overlaps another" : "there is a gap"));
            }
            at = e.end;
            if (at > dataLength) {
                throw bad(e.name, "ends at byte " + at + " of the data, the file has " + dataLength + ": it is cut short");
            }
        }
        if (at < dataLength) {
            throw new CheckpointException((dataLength - at) + " bytes after the last tensor belong to none");
        }
    }

    private static CheckpointException bad(String name, String what) {
        return new CheckpointException("tensor '" + shown(name) + "' " + what);
    }

    // Names and values come from the file: they must not break or swamp the one line of a message.
    static String shown(Object text) {
        String line = text.toString().replaceAll("\\p{Cntrl}", "?");
        return line.length() <= 120 ? line : line.substring(0, 117) + "...";
    }

    /** The header of a file of these tensors, one after the other, padded with spaces so that the data begins at a multiple of 8. */
    static byte[] of(Map<String, Tensor> tensors, Map<String, String> metadata) {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            metadata.forEach(header.putObject(METADATA)::put);
        }
        long at = 0;
        for (var e : tensors.entrySet()) {
            if (e.getKey().equals(METADATA)) {
                throw new IllegalArgumentException("no tensor can be named " + METADATA + ": the format takes that name for itself");
            }
            ObjectNode entry = header.putObject(e.getKey());
            entry.put("dtype", e.getValue().dtype().code());
            Arrays.stream(e.getValue().shape()).forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(at).add(at + e.getValue().nbytes());
            at += e.getValue().nbytes();
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }
}
