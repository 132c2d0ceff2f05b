package io.sfumato.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A {@code .safetensors} file: eight bytes of header length, a JSON header, then the tensors' bytes without gaps. The header is
 * checked whole before any tensor is read (the rules of the format's reference reader), the bytes are mapped, not copied.
 */
public final class SafeTensors implements TensorSource {
    private static final long MAX_HEADER = 100_000_000;
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Where a tensor lies: {@code begin} and {@code end} in bytes from the end of the header. */
    record Entry(String name, DType dtype, long[] shape, long begin, long end) {
    }

    private final Path file;
    private final Map<String, Entry> entries;
    private final Map<String, String> metadata;
    private final long dataStart;
    private final Tensor bytes;

    private SafeTensors(Path file, Map<String, Entry> entries, Map<String, String> metadata, long dataStart, long length) {
        this.file = file;
        this.entries = entries;
        this.metadata = metadata;
        this.dataStart = dataStart;
        try (var scope = new Scope()) {
            bytes = Tensor.mapped(file.toString(), length).retain();
        }
    }

    /**
     * Opens and checks a file.
     *
     * @throws CheckpointException naming the file and the tensor, when it is not a sound safetensors file
     */
    public static SafeTensors open(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            long length = channel.size();
            if (length < 8) {
                throw bad(file, "it has " + length + " bytes, fewer than the 8 of a header length");
            }
            long headerLength = read(channel, 0, 8).getLong();
            if (headerLength < 0 || headerLength > MAX_HEADER) {
                throw bad(file, "no safetensors file: its header would have " + Long.toUnsignedString(headerLength) + " bytes");
            }
            if (8 + headerLength > length) {
                throw bad(file, "cut short: the header needs " + headerLength + " bytes, the file has " + (length - 8) + " after its length");
            }
            byte[] header = read(channel, 8, (int) headerLength).array();
            Map<String, String> metadata = new LinkedHashMap<>();
            Map<String, Entry> entries = parse(file, header, metadata);
            checkLayout(file, entries.values(), length - 8 - headerLength);
            return new SafeTensors(file, entries, metadata, 8 + headerLength, length);
        } catch (java.nio.file.NoSuchFileException e) {
            throw bad(file, "there is no such file");
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static ByteBuffer read(FileChannel channel, long at, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining() && channel.read(buffer, at + buffer.position()) >= 0) {
            continue;
        }
        return buffer.flip();
    }

    private static Map<String, Entry> parse(Path file, byte[] header, Map<String, String> metadata) {
        if (header.length == 0 || header[0] != '{') {
            throw bad(file, "no safetensors file: its header does not begin with '{'");
        }
        JsonNode json;
        try {
            json = JSON.readTree(new String(header, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw bad(file, "its header is no JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
        Map<String, Entry> entries = new TreeMap<>();
        for (var field : json.properties()) {
            if (field.getKey().equals("__metadata__")) {
                field.getValue().properties().forEach(m -> metadata.put(m.getKey(), m.getValue().asText()));
            } else {
                entries.put(field.getKey(), entry(file, field.getKey(), field.getValue()));
            }
        }
        return entries;
    }

    private static Entry entry(Path file, String name, JsonNode node) {
        DType dtype = Arrays.stream(DType.values()).filter(d -> d.code().equals(node.path("dtype").asText())).findFirst()
                .orElseThrow(() -> bad(file, "tensor '" + name + "' has dtype " + node.path("dtype")
                        + "; known are " + Arrays.stream(DType.values()).map(DType::code).toList()));
        long[] shape = longs(file, name, "shape", node.path("shape"));
        long[] offsets = longs(file, name, "data_offsets", node.path("data_offsets"));
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw bad(file, "tensor '" + name + "' has data_offsets " + node.path("data_offsets") + ", not [begin, end]");
        }
        long size = dtype.bytes();
        try {
            for (long d : shape) {
                size = Math.multiplyExact(size, d);
            }
        } catch (ArithmeticException e) {
            throw bad(file, "tensor '" + name + "' has the absurd shape " + Arrays.toString(shape));
        }
        if (offsets[1] - offsets[0] != size) {
            throw bad(file, "tensor '" + name + "' of shape " + Arrays.toString(shape) + " and dtype " + dtype.code() + " needs " + size
                    + " bytes, its data_offsets give " + (offsets[1] - offsets[0]));
        }
        return new Entry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private static long[] longs(Path file, String name, String key, JsonNode node) {
        if (!node.isArray()) {
            throw bad(file, "tensor '" + name + "' has no " + key);
        }
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            if (!node.get(i).canConvertToLong() || !node.get(i).isIntegralNumber() || node.get(i).asLong() < 0) {
                throw bad(file, "tensor '" + name + "' has " + key + " " + node + ": whole numbers from 0 are wanted");
            }
            values[i] = node.get(i).asLong();
        }
        return values;
    }

    private static void checkLayout(Path file, Iterable<Entry> entries, long dataLength) {
        List<Entry> sorted = new ArrayList<>();
        entries.forEach(sorted::add);
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long at = 0;
        for (Entry e : sorted) {
            if (e.begin != at) {
                throw bad(file, "tensor '" + e.name + "' begins at byte " + e.begin + " of the data, where " + at + " is the next free one: "
                        + (e.begin < at ? "it overlaps another" : "there is a gap"));
            }
            at = e.end;
        }
        if (at > dataLength) {
            throw bad(file, "cut short: tensor '" + sorted.get(sorted.size() - 1).name + "' ends at byte " + at + " of the data, the file has "
                    + dataLength);
        }
        if (at < dataLength) {
            throw bad(file, (dataLength - at) + " bytes after the last tensor belong to none");
        }
    }

    private static CheckpointException bad(Path file, String what) {
        return new CheckpointException(file + ": " + what);
    }

    @Override
    public String description() {
        return file.toString();
    }

    @Override
    public Set<String> names() {
        return entries.keySet();
    }

    /** The header's {@code __metadata__}, in file order. */
    public Map<String, String> metadata() {
        return Map.copyOf(metadata);
    }

    @Override
    public long[] shape(String name) {
        return find(name).shape.clone();
    }

    @Override
    public DType dtype(String name) {
        return find(name).dtype;
    }

    /** The tensor as stored: shared with the mapped file where it is aligned there, else a copy. Not to be written to. */
    @Override
    public Tensor get(String name) {
        Entry e = find(name);
        try (var scope = new Scope()) {
            if (e.begin == e.end) {
                return scope.keep(Tensor.zeros(e.dtype, e.shape));
            }
            Tensor slice = bytes.narrow(0, dataStart + e.begin, e.end - e.begin);
            boolean aligned = (dataStart + e.begin) % e.dtype.bytes() == 0;
            return scope.keep((aligned ? slice : slice.clone()).viewAs(e.dtype).view(e.shape));
        }
    }

    private Entry find(String name) {
        Entry e = entries.get(name);
        if (e == null) {
            throw bad(file, "there is no tensor '" + name + "'");
        }
        return e;
    }

    @Override
    public void close() {
        bytes.close();
    }

    /**
     * Writes tensors with {@code metadata} (may be empty) to {@code file}: beside it first, then moved, so that no half file is ever
     * seen under its name. Larger element types come first, which keeps every tensor aligned.
     */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            metadata.forEach(header.putObject("__metadata__")::put);
        }
        List<Map.Entry<String, Tensor>> sorted = new ArrayList<>(tensors.entrySet());
        sorted.sort(Comparator.<Map.Entry<String, Tensor>>comparingInt(e -> -e.getValue().dtype().bytes()).thenComparing(Map.Entry::getKey));
        long at = 0;
        for (var e : sorted) {
            ObjectNode entry = header.putObject(e.getKey());
            entry.put("dtype", e.getValue().dtype().code());
            Arrays.stream(e.getValue().shape()).forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(at).add(at + e.getValue().nbytes());
            at += e.getValue().nbytes();
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        Path absolute = file.toAbsolutePath();
        Path part = absolute.resolveSibling(absolute.getFileName() + ".part");
        try {
            try (FileChannel out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                writeAll(out, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded.length).flip());
                writeAll(out, ByteBuffer.wrap(padded));
                for (var e : sorted) {
                    writeAll(out, ByteBuffer.wrap(e.getValue().toBytes()));
                }
            }
            Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            discard(part);
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static void writeAll(FileChannel out, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            out.write(buffer);
        }
    }

    private static void discard(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException ignored) {
            // The first failure is the one to report.
        }
    }
}
