package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.Golden;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Made by models/src/test/resources/golden/bert/make.py: two linear layers, and a matrix that no bias names. */
class OnnxWeightsTest {
    private static final Path TINY = Golden.file("onnx/tiny.onnx");

    @TempDir
    private Path folder;

    @Test
    void namesMatricesAfterTheirBiases() {
        try (OnnxWeights onnx = OnnxWeights.open(TINY); SafeTensors wanted = SafeTensors.open(Golden.file("onnx/tiny.safetensors"));
                Scope scope = new Scope()) {
            assertThat(onnx.names()).containsExactlyInAnyOrder("one.weight", "two.weight", "m3", "one.bias", "two.bias");
            for (String name : wanted.names()) {
                assertThat(onnx.shape(name)).as(name).isEqualTo(wanted.shape(name));
                assertThat(onnx.dtype(name)).isEqualTo(DType.F32);
                assertThat(onnx.get(name).equal(wanted.get(name))).as(name).isTrue();
            }
            assertThat(onnx.get("two.bias").toFloats()).containsExactly(0, 1);
        }
    }

    @Test
    void whatIsNoOnnxFileIsToldInOneLine() throws IOException {
        assertRefused("", "there is no weight in its graph");
        assertRefused("\u000f", "no protocol buffers message: field 1 is of the unknown kind 7");
        assertRefused("\u003a\u0010ab", "cut short or damaged: field 7 needs 16 bytes, its message has 2 left");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> OnnxWeights.open(folder.resolve("none.onnx")))
                .withMessage(folder.resolve("none.onnx") + ": there is no such file");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> OnnxWeights.open(TINY).get("m4"))
                .withMessage(TINY + ": there is no tensor 'm4'");
    }

    private void assertRefused(String content, String reason) throws IOException {
        Path file = Files.writeString(folder.resolve("bad.onnx"), content, StandardCharsets.ISO_8859_1);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> OnnxWeights.open(file))
                .withMessage(file + ": no ONNX file that can be read: " + reason);
    }

    @Test
    void damageIsNeverMoreThanACheckpointException() throws IOException {
        byte[] sound = Files.readAllBytes(TINY);
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            byte[] bytes = Arrays.copyOf(sound, i % 2 == 0 ? sound.length : random.nextInt(sound.length));
            for (int j = 0; j < 3 && bytes.length > 0; j++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Path file = Files.write(folder.resolve("damaged.onnx"), bytes);
            try (OnnxWeights onnx = OnnxWeights.open(file); Scope scope = new Scope()) {
                onnx.names().forEach(name -> assertThat(onnx.get(name).shape()).isEqualTo(onnx.shape(name)));
            } catch (CheckpointException e) {
                assertThat(e.getMessage()).startsWith(file.toString()).doesNotContain("\n");
            }
        }
    }
}
