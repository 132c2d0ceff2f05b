package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.sfumato.Golden;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that PyTorch wrote, or once did: what is read from them is what PyTorch reads. */
class TorchPickleTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"protocol2.pt", "protocol3.pt", "protocol4.pt", "protocol5.pt", "protocol2-stream.pt", "protocol3-stream.pt",
        "protocol4-stream.pt", "protocol5-stream.pt", "types.pt", "types-stream.pt", "strides.pt", "strides-stream.pt", "nested-2.ckpt",
        "nested-4.ckpt", "module.pkl", "module-stream.pkl", "wrapped.pt", "tensor.pt", "view-stream.pt", "old.tar"})
    void readsWhatTheReferenceReads(String name) {
        try (var scope = new Scope(); var file = TorchPickle.open(file(name));
                var expected = SafeTensors.open(file("expected.safetensors"))) {
            var names = new TreeSet<String>();
            expected.names().stream().filter(n -> n.startsWith(name + "/")).forEach(n -> names.add(n.substring(name.length() + 1)));
            assertThat(file.names()).isEqualTo(names).isNotEmpty();
            for (String n : names) {
                assertEqual(file, n, expected.get(name + "/" + n));
            }
        }
    }

    // Those of a type that is not read are there too, but say so.
    @ParameterizedTest
    @ValueSource(strings = {"numpy-2.pt", "numpy-5.pt", "unknown.pt", "refused.pt"})
    void readsTheRestOfAFile(String name) {
        try (var scope = new Scope(); var file = TorchPickle.open(file(name));
                var expected = SafeTensors.open(file("expected.safetensors"))) {
            for (String n : expected.names()) {
                if (n.startsWith(name + "/")) {
                    assertEqual(file, n.substring(name.length() + 1), expected.get(n));
                }
            }
        }
    }

    private static void assertEqual(TorchPickle file, String name, Tensor wanted) {
        Tensor x = file.get(name);
        assertThat(file.dtype(name)).as(name).isEqualTo(wanted.dtype()).isEqualTo(x.dtype());
        assertThat(file.shape(name)).as(name).isEqualTo(wanted.shape()).isEqualTo(x.shape());
        assertThat(x.toBytes()).as(name).isEqualTo(wanted.toBytes());
        assertThat(x.view(x.numel()).shape()).containsExactly(x.numel());    // which needs its elements without gaps
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "refused.pt | coo       | is sparse: a dense tensor is wanted",
        "refused.pt | csr       | is sparse: a dense tensor is wanted",
        "refused.pt | quantised | is quantised: a dense tensor is wanted",
        "refused.pt | nested    | is nested: a dense tensor is wanted",
        "refused.pt | meta      | has no data: it was on device meta: a dense tensor is wanted",
        "refused.pt | conjugate | is conjugated or negated only when read: save a plain copy",
        "refused.pt | wide      | is of type torch.ComplexDoubleStorage, which is not read",
        "unknown.pt | made      | is made by __main__.rebuilt, which is not known to be safe: save a plain state dict",
        "numpy-2.pt | swapped   | is a NumPy array of big-endian numbers; little-endian ones are read",
        "numpy-5.pt | texts     | is a NumPy array of dtype U2; read are [b1, c8, f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8]",
        "numpy-5.pt | object    | is a NumPy array of dtype O8; read are [b1, c8, f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8]"})
    void namesWhatCannotBeRead(String name, String tensor, String why) {
        try (var file = TorchPickle.open(file(name))) {
            assertThat(file.names()).contains(tensor);
            assertThatThrownBy(() -> file.get(tensor)).isInstanceOf(CheckpointException.class)
                    .hasMessage(file(name) + ": tensor '" + tensor + "' " + why);
            assertThatThrownBy(() -> file.shape(tensor)).isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void buildsNothingThatAPickleNames() {
        try (var file = TorchPickle.open(file("unknown.pt"))) {
            assertThat(file.names()).containsExactly("made", "weight", "wrapped");
            var harm = (PickledObject) ((Map<?, ?>) file.tree()).get("harm");
            assertThat(harm.type().name()).isEqualTo("system");
            assertThat(harm.arguments()).containsExactly("touch harmed");
            assertThat(harm.state()).isEqualTo(PickledNone.NONE);
            assertThat(harm).hasToString("a pickled posix.system");
            assertThat(Path.of("harmed")).doesNotExist();
        }
    }

    @Test
    void theTreeHasEverythingElse() {
        for (String name : List.of("nested-2.ckpt", "nested-4.ckpt")) {
            try (var file = TorchPickle.open(file(name))) {
                Map<Object, Object> tree = new HashMap<>((Map<?, ?>) file.tree());
                assertThat(tree).contains(entry("epoch", 3L), entry("global_step", 1L << 40), entry("loss", 0.25), entry("name", "naïve"),
                        entry("flag", true), entry("none", PickledNone.NONE), entry("big", BigInteger.TWO.pow(100)), entry("negative", -5L),
                        entry("set", List.of(4L)), entry("size", List.of(2L, 3L)), entry("type", new PickledGlobal("torch", "float16")),
                        entry("np.float64", 1.5), entry("np.float32", -2.5), entry("np.int64", -7L), entry("np.uint8", 200L),
                        entry("np.bool", true));
                assertThat((byte[]) tree.get("bytes")).containsExactly(0, 255);
                assertThat(((PickledObject) tree.get("device")).type()).hasToString("torch.device");
                var linear = new PickledGlobal("torch.nn.modules.linear", "Linear");
                assertThat(((Map<?, ?>) tree.get("callbacks")).containsKey(linear)).isTrue();
                assertThat(tree.containsValue("a tuple's")).isTrue();
            }
        }
    }

    @Test
    void namesOfDevicesThatAreNotHereAreNoMatter() throws IOException {
        String stream = Files.readString(file("protocol2-stream.pt"), StandardCharsets.ISO_8859_1);
        Path cuda = folder.resolve("cuda.pt");
        Files.writeString(cuda, stream.replace("ctorch\nFloatStorage", "ctorch.cuda\nFloatStorage"), StandardCharsets.ISO_8859_1);
        try (var scope = new Scope(); var file = TorchPickle.open(cuda)) {
            assertThat(file.get("weight").toFloats()).startsWith(-2, -1.25f);
        }
    }

    @Test
    void aCheckpointIsOpenedByWhatIsInIt() throws IOException {
        for (String name : List.of("module.pkl", "protocol2-stream.pt", "old.tar", "expected.safetensors")) {
            Path file = Files.copy(file(name), folder.resolve(name + ".bin"));
            try (TensorSource source = TensorSource.open(file)) {
                assertThat(source.description()).isEqualTo(file.toString());
                assertThat(source.names()).isNotEmpty();
            }
        }
        Path none = folder.resolve("none.ckpt");
        assertThatThrownBy(() -> TensorSource.open(none)).hasMessage(none + ": there is no such file");
    }

    @Test
    void networksLoadFromIt() {
        try (var file = TorchPickle.open(file("wrapped.pt")); var weights = Weights.load(file, DType.F32, Device.CPU)) {
            Weights block = weights.sub("blocks").sub("1");
            assertThat(block.sub("path").sub("0").get("weight", 3, 3).shape()).containsExactly(3, 3);
            assertThat(block.sub("norm").get("num_batches_tracked").dtype()).isEqualTo(DType.I64);
        }
    }

    @Test
    void sharesTheMappedFileAndGivesEverythingBack() {
        long live = Scope.live();
        for (int i = 0; i < 20; i++) {
            try (var scope = new Scope(); var file = TorchPickle.open(file("strides.pt"))) {
                for (String name : file.names()) {
                    file.get(name).toBytes();
                }
            }
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }

    private static Path file(String name) {
        return Golden.file("torch/" + name);
    }
}
