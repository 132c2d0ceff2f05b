package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The weights in an ONNX file, under the names that PyTorch had for them. Exporters keep the names of biases and tables, but store the
 * matrix of a linear layer transposed and without its name; the graph tells it: the product with the matrix is what the bias
 * {@code NAME.bias} is added to, so the matrix is {@code NAME.weight}.
 */
public final class OnnxWeights implements TensorSource {
    private static final String BIAS = ".bias";
    private static final Map<Integer, DType> TYPES = Map.of(1, DType.F32, 2, DType.U8, 3, DType.I8, 5, DType.I16, 6, DType.I32, 7, DType.I64,
            9, DType.BOOL, 10, DType.F16, 11, DType.F64, 16, DType.BF16);

    private final Path file;
    private final Map<String, Stored> tensors;

    private record Stored(DType type, long[] shape, ByteBuffer bytes, boolean transposed) {
        Stored turned() {
            return new Stored(type, shape, bytes, true);
        }
    }

    private record Node(String kind, List<String> inputs, List<String> outputs) {
    }

    private OnnxWeights(Path file, Map<String, Stored> tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    /**
     * Maps a file and finds its weights.
     *
     * @throws CheckpointException naming the file, when it is no whole ONNX file or keeps its numbers elsewhere
     */
    public static OnnxWeights open(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            if (channel.size() > Integer.MAX_VALUE) {
                throw new CheckpointException("it has " + channel.size() + " bytes; files of up to 2 GiB are read");
            }
            return new OnnxWeights(file, weights(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())));
        } catch (CheckpointException e) {
            throw new CheckpointException(file + ": no ONNX file that can be read: " + e.getMessage(), e);
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + ": there is no such file", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static Map<String, Stored> weights(ByteBuffer bytes) {
        Map<String, Stored> stored = new LinkedHashMap<>();
        List<Node> nodes = new ArrayList<>();
        Protobuf model = new Protobuf(bytes);
        while (model.next()) {
            if (model.field() == 7) {
                Protobuf graph = new Protobuf(model.bytes());
                while (graph.next()) {
                    switch (graph.field()) {
                        case 1 -> nodes.add(node(graph.bytes()));
                        case 5 -> initializer(graph.bytes(), stored);
                        default -> { }
                    }
                }
            }
        }
        if (stored.isEmpty()) {
            throw new CheckpointException("there is no weight in its graph");
        }
        return named(stored, nodes);
    }

    private static Node node(ByteBuffer bytes) {
        List<String> inputs = new ArrayList<>(), outputs = new ArrayList<>();
        String kind = "";
        Protobuf node = new Protobuf(bytes);
        while (node.next()) {
            switch (node.field()) {
                case 1 -> inputs.add(node.text());
                case 2 -> outputs.add(node.text());
                case 4 -> kind = node.text();
                default -> { }
            }
        }
        return new Node(kind, inputs, outputs);
    }

    private static void initializer(ByteBuffer bytes, Map<String, Stored> into) {
        LongStream shape = LongStream.empty();
        int type = 0;
        String name = "";
        ByteBuffer raw = bytes.slice(0, 0);
        Protobuf tensor = new Protobuf(bytes);
        while (tensor.next()) {
            switch (tensor.field()) {
                case 1 -> shape = LongStream.concat(shape, LongStream.of(
                        tensor.isPacked() ? Protobuf.packed(tensor.bytes()) : new long[] {tensor.number()}));
                case 2 -> type = (int) tensor.number();
                case 8 -> name = tensor.text();
                case 9 -> raw = tensor.bytes();
                default -> { }
            }
        }
        if (!TYPES.containsKey(type)) {
            throw new CheckpointException("the tensor '" + name + "' is of element type " + type + "; known are " + TYPES.keySet());
        }
        long[] sizes = shape.toArray();
        double wanted = LongStream.of(sizes).asDoubleStream().reduce(TYPES.get(type).bytes(), (a, b) -> a * b);
        if (raw.remaining() != wanted || LongStream.of(sizes).anyMatch(size -> size < 0)) {
            throw new CheckpointException("the tensor '" + name + "' of shape " + Arrays.toString(sizes) + " has " + raw.remaining()
                    + " bytes of raw data (numbers in other files or fields are not read)");
        }
        into.put(name, new Stored(TYPES.get(type), sizes, raw, false));
    }

    /** Renames each matrix after the bias that is added to its product. */
    private static Map<String, Stored> named(Map<String, Stored> stored, List<Node> nodes) {
        Map<String, String> products = new HashMap<>();
        Map<String, String> names = new HashMap<>();
        for (Node node : nodes) {
            if (node.kind.equals("MatMul") && node.inputs.size() == 2 && isMatrix(stored, node.inputs.get(1))) {
                products.put(node.outputs.get(0), node.inputs.get(1));
            }
            if (node.kind.equals("Add") && node.inputs.size() == 2) {
                for (int i = 0; i < 2; i++) {
                    String bias = node.inputs.get(i), matrix = products.getOrDefault(node.inputs.get(1 - i), "");
                    if (!matrix.isEmpty() && bias.endsWith(BIAS) && stored.containsKey(bias)) {
                        names.put(matrix, bias.substring(0, bias.length() - BIAS.length()) + ".weight");
                    }
                }
            }
        }
        Map<String, Stored> all = new LinkedHashMap<>();
        stored.forEach((name, x) -> all.put(names.getOrDefault(name, name), names.containsKey(name) ? x.turned() : x));
        return all;
    }

    private static boolean isMatrix(Map<String, Stored> stored, String name) {
        return stored.containsKey(name) && stored.get(name).shape.length == 2;
    }

    @Override
    public String description() {
        return file.toString();
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public long[] shape(String name) {
        Stored x = find(name);
        return x.transposed ? new long[] {x.shape[1], x.shape[0]} : x.shape.clone();
    }

    @Override
    public DType dtype(String name) {
        return find(name).type;
    }

    @Override
    public Tensor get(String name) {
        Stored x = find(name);
        byte[] bytes = new byte[x.bytes.remaining()];
        x.bytes.get(x.bytes.position(), bytes);
        try (var scope = new Scope()) {
            Tensor tensor = Tensor.of(x.type, bytes, x.shape);
            return scope.keep(x.transposed ? tensor.transpose(0, 1).contiguous() : tensor);
        }
    }

    private Stored find(String name) {
        if (!tensors.containsKey(name)) {
            throw new CheckpointException(file + ": there is no tensor '" + name + "'");
        }
        return tensors.get(name);
    }

    /** Does nothing: the mapping goes with the last of its buffers. */
    @Override
    public void close() {
    }
}
