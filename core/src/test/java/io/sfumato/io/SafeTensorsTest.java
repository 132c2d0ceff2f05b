package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.Golden;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsTest {
    @TempDir
    Path folder;

    private final Scope scope = new Scope();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void readsWhatTheReferencePackageWrote() {
        try (var file = SafeTensors.open(Golden.file("safetensors/dtypes.safetensors"))) {
            assertThat(file.metadata()).isEqualTo(Map.of("format", "pt", "title", "déjà vu"));
            for (DType type : DType.values()) {
                if (type != DType.F8_E8M0) {    // which torch's own writer does not know
                    assertThat(file.dtype(type.code())).isEqualTo(type);
                    assertThat(file.shape(type.code())).containsExactly(2, 3);
                    Tensor x = file.get(type.code());
                    assertThat(file.mapped(type.code()).toBytes()).isEqualTo(x.toBytes());
                    // Complex numbers are pairs of real ones.
                    Tensor real = type == DType.C64 ? x.viewAs(DType.F32).view(6, 2).select(1, 0) : x.to(DType.F32);
                    assertThat(real.toFloats()).as(type.code())
                            .containsExactly(type == DType.BOOL ? new float[] {0, 1, 1, 1, 1, 1} : new float[] {0, 1, 2, 3, 4, 6});
                }
            }
            assertThat(file.shape("scalar")).isEmpty();
            assertThat(file.get("scalar").item()).isEqualTo(2.5);
            assertThat(file.get("empty").shape()).containsExactly(0, 3);
            assertThat(file.mapped("empty").shape()).containsExactly(0, 3);
            assertThat(file.get("a_byte").toBytes()).containsExactly(7);
        }
    }

    @Test
    void writesWhatItReads() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (DType type : DType.values()) {
            byte[] bytes = new byte[6 * type.bytes()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (type == DType.BOOL ? i % 2 : i);
            }
            tensors.put(type.code(), Tensor.of(type, bytes, 3, 2));
        }
        tensors.put("scalar", Tensor.full(1.5));
        tensors.put("empty", Tensor.zeros(DType.I64, 4, 0));
        tensors.put("odd \"name\"/é", Tensor.of(new byte[] {1, 2, 3}, 3));
        tensors.put("transposed", Tensor.arange(6).view(2, 3).transpose(0, 1));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("z", "first \n line");
        metadata.put("a", "é");
        Path path = folder.resolve("all.safetensors");
        SafeTensors.write(path, tensors, metadata);
        SafeTensors.write(path, tensors, metadata);    // replaces
        try (var file = SafeTensors.open(path)) {
            assertThat(file.names()).isEqualTo(new TreeSet<>(tensors.keySet()));
            assertThat(file.metadata()).containsExactlyEntriesOf(metadata);
            tensors.forEach((name, x) -> {
                assertThat(file.get(name).dtype()).isEqualTo(x.dtype());
                assertThat(file.get(name).shape()).isEqualTo(x.shape());
                assertThat(file.get(name).toBytes()).as(name).isEqualTo(x.toBytes());
            });
        }
        assertThat(folder.toFile().list()).containsExactly("all.safetensors");
    }

    @Test
    void writesNoTensorsToo() {
        Path path = folder.resolve("none.safetensors");
        SafeTensors.write(path, Map.of(), Map.of());
        try (var file = SafeTensors.open(path)) {
            assertThat(file.names()).isEmpty();
            assertThat(file.metadata()).isEmpty();
        }
    }

    @Test
    void writesATensorOfManyPieces() {
        Path path = folder.resolve("big.safetensors");
        try (var rng = new Rng(2)) {
            Tensor x = rng.randn(3, (1 << 22) + 17);
            SafeTensors.write(path, Map.of("x", x, "y", Tensor.ones(1)), Map.of());
            try (var file = SafeTensors.open(path)) {
                assertThat(file.get("x").equal(x)).isTrue();
                assertThat(file.get("y").item()).isEqualTo(1);
            }
        }
    }

    @Test
    void readsUnalignedTensors() throws IOException {
        byte[] data = ByteBuffer.allocate(13).order(ByteOrder.LITTLE_ENDIAN).put((byte) 9).putFloat(1.25f).putDouble(-3).array();
        Path path = write("""
                {"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},
                 "d":{"dtype":"F64","shape":[1,1],"data_offsets":[5,13]}}""", data);
        try (var file = SafeTensors.open(path)) {
            assertThat(file.get("b").toBytes()).containsExactly(9);
            assertThat(file.get("f").toFloats()).containsExactly(1.25f);
            assertThat(file.get("d").toDoubles()).containsExactly(-3);
        }
    }

    @Test
    void readsPastTwoGigabytes() throws IOException {
        long big = 5L << 29;
        byte[] header = ("{\"big\":{\"dtype\":\"U8\",\"shape\":[" + big + "],\"data_offsets\":[0," + big + "]},"
                + "\"last\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + big + "," + (big + 8) + "]}}  ").getBytes(StandardCharsets.UTF_8);
        Path path = folder.resolve("huge.safetensors");
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(8 + header.length + big + 8);    // sparse: takes no room on the disk
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
            file.write(header);
            file.seek(8 + header.length + big);
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(4).putFloat(5).array());
        }
        try (var file = SafeTensors.open(path)) {
            assertThat(file.get("last").toFloats()).containsExactly(4, 5);
            assertThat(file.get("big").numel()).isEqualTo(big);
            assertThat(file.get("big").narrow(0, big - 2, 2).toBytes()).containsExactly(0, 0);
        }
    }

    @Test
    void tensorsOutliveTheirFile() throws IOException {
        Path path = folder.resolve("x.safetensors");
        SafeTensors.write(path, Map.of("x", Tensor.of(1, 2, 3)), Map.of());
        Tensor x;
        try (var file = SafeTensors.open(path)) {
            x = file.get("x");
        }
        Files.delete(path);
        assertThat(x.toLongs()).containsExactly(1, 2, 3);
    }

    @Test
    void changingATensorLeavesTheFileAsItIs() {
        Path path = folder.resolve("x.safetensors");
        SafeTensors.write(path, Map.of("x", Tensor.of(1, 2, 3)), Map.of());
        try (var file = SafeTensors.open(path)) {
            file.get("x").zero_();
        }
        try (var file = SafeTensors.open(path)) {
            assertThat(file.get("x").toLongs()).containsExactly(1, 2, 3);
        }
    }

    @Test
    void leavesNothingBehindWhenItCannotWrite() throws IOException {
        Path missing = folder.resolve("no/such/x.safetensors");
        assertThatThrownBy(() -> SafeTensors.write(missing, Map.of(), Map.of()))
                .isInstanceOf(UncheckedIOException.class).hasMessage(missing + ": cannot be written: there is no such folder");
        Path occupied = Files.createDirectories(folder.resolve("full.safetensors/inside")).getParent();
        assertThatThrownBy(() -> SafeTensors.write(occupied, Map.of("x", Tensor.ones(3)), Map.of()))
                .isInstanceOf(UncheckedIOException.class).hasMessageStartingWith(occupied + ": cannot be written: ");
        Tensor freed = Tensor.ones(2);
        Path half = folder.resolve("half.safetensors");
        Map<String, Tensor> tensors = Map.of("x", freed);
        freed.close();
        assertThatThrownBy(() -> SafeTensors.write(half, tensors, Map.of())).isInstanceOf(RuntimeException.class);
        assertThat(folder.toFile().list()).containsExactly("full.safetensors");
        assertThatIllegalArgumentException().isThrownBy(() -> SafeTensors.write(half, Map.of("__metadata__", Tensor.ones(1)), Map.of()))
                .withMessage("no tensor can be named __metadata__: the format takes that name for itself");
    }

    @Test
    void leavesNoNativeObjectBehind() {
        Path path = folder.resolve("x.safetensors");
        long before = Scope.live();
        for (int i = 0; i < 100; i++) {
            try (var inner = new Scope()) {
                SafeTensors.write(path, Map.of("x", Tensor.ones(3), "e", Tensor.zeros(0)), Map.of());
                try (var file = SafeTensors.open(path)) {
                    file.get("x");
                    file.get("e");
                }
            }
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(before);
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return Files.write(folder.resolve("made.safetensors"), ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json).put(data).array());
    }
}
