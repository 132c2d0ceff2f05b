package io.sfumato.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.LiveObjects;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.ShardedTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;

/** Cases of a golden folder, its checkpoints, and the checks that every network passes. */
public final class Fixture {
    /** The whole models that the pipelines' tests draw with. */
    public static final Path PIPELINES = Path.of("../pipelines/src/test/resources/golden");

    private Fixture() {
    }

    public static List<JsonNode> cases(Path folder) {
        return StreamSupport.stream(JsonFile.read(folder.resolve("golden.json")).get("cases").spliterator(), false).toList();
    }

    /** The case of that name. */
    public static JsonNode named(Path folder, String name) {
        return cases(folder).stream().filter(c -> c.get("name").asText().equals(name)).findFirst().orElseThrow();
    }

    /** A config from JSON with single quotes. */
    public static ConfigJson json(String text) {
        try {
            return new ConfigJson("test", new ObjectMapper().readTree(text.replace('\'', '"')));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    public static Tensor tensor(SafeTensors golden, JsonNode c, String role) {
        return golden.get(c.get("tensors").get(role).asText());
    }

    /** The weights in a component's folder, whatever they are called there. */
    public static TensorSource weights(Path folder) {
        for (String name : List.of("model", "diffusion_pytorch_model", "diffusion_pytorch_model.fp16")) {
            if (Files.exists(folder.resolve(name + ".safetensors"))) {
                return SafeTensors.open(folder.resolve(name + ".safetensors"));
            }
        }
        Path index = folder.resolve("model.safetensors.index.json");
        return ShardedTensors.open(Files.exists(index) ? index : folder.resolve("diffusion_pytorch_model.safetensors.index.json"));
    }

    public static ConfigJson config(Path folder) {
        return ConfigJson.read(folder.resolve("config.json"));
    }

    /** Every number of {@code actual} lies within {@code tolerance} times the largest number wanted, or of 1 if that is more. */
    public static void assertClose(String what, Tensor actual, Tensor wanted, double tolerance) {
        assertThat(actual.shape()).as(what).isEqualTo(wanted.shape());
        Tensor exact = wanted.to(DType.F64);
        double scale = Math.max(1, exact.abs().amax(false).item());
        assertThat(actual.to(DType.F64).sub(exact).abs().amax(false).item()).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    /** Three runs of {@code forward} leave nothing behind. */
    public static void assertNothingIsLeft(Supplier<Object> forward) {
        try (var scope = new Scope()) {
            forward.get();
        }
        long before = LiveObjects.settled();
        for (int i = 0; i < 3; i++) {
            try (var scope = new Scope()) {
                forward.get();
            }
        }
        assertThat(Scope.live()).isEqualTo(before);
    }

    /** The names, and the shapes but for 1x1 kernels stored as matrices, are those of the reference's file. */
    public static void assertSameParameters(Map<String, Tensor> fresh, TensorSource file, String... extras) {
        assertThat(fresh.keySet()).containsExactlyInAnyOrderElementsOf(
                file.names().stream().filter(name -> !Set.of(extras).contains(name)).toList());
        fresh.forEach((name, x) -> assertThat(withoutOnes(x.shape())).as(name).isEqualTo(withoutOnes(file.shape(name))));
    }

    private static List<Long> withoutOnes(long[] shape) {
        var list = new ArrayList<Long>();
        for (int i = 0; i < shape.length; i++) {
            if (i < 2 || shape[i] != 1) {
                list.add(shape[i]);
            }
        }
        return list;
    }

    /** The sum of {@code out}, each number weighed differently, sends a gradient other than zero to every parameter. */
    public static void assertGradientsReachAll(Map<String, Tensor> parameters, Tensor out) {
        out.mul(Tensor.linspace(-1, 1, out.numel()).sin().view(out.shape())).sum().backward();
        parameters.forEach((name, p) -> {
            assertThat(p.hasGrad()).as(name).isTrue();
            assertThat(p.grad().isFinite()).as(name).isTrue();
            assertThat(p.grad().abs().amax(false).item()).as(name).isPositive();
        });
    }

    /**
     * Weights for {@code network} that the reference drew from the same seed, in the order of their names: normal numbers times 0.3 for
     * vectors, to which 1 is added where they are scales, and else over the root of what a row has. A name or a shape that is not the
     * reference's shifts all draws, so equal results mean equal names.
     */
    public static Weights seeded(Consumer<Weights> network, long seed) {
        Map<String, Tensor> tensors = new TreeMap<>();
        try (var scope = new Scope(); var rng = new Rng(seed); Weights shapes = Weights.load(empty(), DType.F32, Device.CPU)) {
            network.accept(shapes);
            new TreeMap<>(shapes.parameters()).forEach((name, like) -> {
                long[] shape = like.shape();
                long row = like.numel() / shape[0];
                Tensor x = rng.randn(shape).mul_(shape.length == 1 ? 0.3 : Math.pow(row, -0.5));
                tensors.put(name, (shape.length == 1 && name.endsWith(".weight") ? x.add_(1) : x).retain());
            });
        }
        return Weights.load(new Drawn(tensors), DType.F32, Device.CPU);
    }

    private record Drawn(Map<String, Tensor> tensors) implements TensorSource {
        @Override
        public String description() {
            return "drawn weights";
        }

        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public long[] shape(String name) {
            return tensors.get(name).shape();
        }

        @Override
        public DType dtype(String name) {
            return tensors.get(name).dtype();
        }

        @Override
        public Tensor get(String name) {
            return tensors.get(name);
        }

        @Override
        public void close() {
            tensors.values().forEach(Tensor::close);
        }
    }

    /** A checkpoint without tensors: a network built on it knows its names and shapes and takes no memory. */
    public static TensorSource empty() {
        return new Empty();
    }

    private record Empty() implements TensorSource {
        @Override
        public String description() {
            return "an empty checkpoint";
        }

        @Override
        public Set<String> names() {
            return Set.of();
        }

        @Override
        public long[] shape(String name) {
            throw new IllegalArgumentException(name);
        }

        @Override
        public DType dtype(String name) {
            throw new IllegalArgumentException(name);
        }

        @Override
        public Tensor get(String name) {
            throw new IllegalArgumentException(name);
        }

        @Override
        public void close() {
        }
    }
}
