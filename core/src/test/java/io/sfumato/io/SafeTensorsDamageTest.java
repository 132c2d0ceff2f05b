package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever is wrong with a file, opening it ends in one line that names it, or in tensors that can be read to the last byte. */
class SafeTensorsDamageTest {
    @TempDir
    Path folder;

    private Path file;
    private byte[] sound;

    @BeforeEach
    void writeASoundFile() throws IOException {
        file = folder.resolve("x.safetensors");
        try (var scope = new Scope()) {
            SafeTensors.write(file, Map.of("a.weight", Tensor.ones(2, 3), "a.bias", Tensor.arange(3), "flag", Tensor.of(new byte[] {1}, 1)),
                    Map.of("format", "pt"));
        }
        sound = Files.readAllBytes(file);
    }

    @Test
    void cutAnywhere() throws IOException {
        for (int length = 0; length < sound.length; length++) {
            Files.write(file, Arrays.copyOf(sound, length));
            assertThat(refusal()).as("cut to " + length).startsWith(file + ": ");
        }
        Files.write(file, Arrays.copyOf(sound, sound.length - 1));
        assertThat(refusal()).isEqualTo(file + ": tensor 'flag' ends at byte 49 of the data, the file has 48: it is cut short");
        Files.write(file, Arrays.copyOf(sound, sound.length + 5));
        assertThat(refusal()).isEqualTo(file + ": 5 bytes after the last tensor belong to none");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'y':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | tensor 'y' begins at byte 4 of the data, where 8 is the next free one: it overlaps another",
        "{'x':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | tensor 'x' begins at byte 4 of the data, where 0 is the next free one: there is a gap",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | tensor 'x' of shape [2] and dtype F32 needs 8 bytes, its data_offsets give 4",
        "{'x':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,8]}} | tensor 'x' has the absurd shape [4294967296,4294967296]",
        "{'x':{'dtype':'F32','shape':[0,4611686018427387904,8],'data_offsets':[0,0]}} | tensor 'x' has the absurd shape [0,4611686018427387904,8]",
        "{'x':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | tensor 'x' has shape [-2]: whole numbers from 0 are wanted",
        "{'x':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | tensor 'x' has shape [2.0]: whole numbers from 0 are wanted",
        "{'x':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}} | tensor 'x' has shape [\"2\"]: whole numbers from 0 are wanted",
        "{'x':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | tensor 'x' has shape [99999999999999999999]: whole numbers from 0 are wanted",
        "{'x':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | tensor 'x' has no shape",
        "{'x':{'dtype':'F32','shape':[2]}} | tensor 'x' has no data_offsets",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | tensor 'x' has data_offsets [8,0], not [begin, end]",
        "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,4,8]}} | tensor 'x' has data_offsets [0,4,8], not [begin, end]",
        "{'x\\ny':7} | tensor 'x?y' has dtype ; known are [F64",
        "{'x':{'dtype':'F4','shape':[2],'data_offsets':[0,1]}} | tensor 'x' has dtype \"F4\"; known are [F64",
        "{'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} | its header is no sound JSON: Duplicate field 'x'",
        "{'__metadata__':{'a':1},'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} | __metadata__ has 1 under 'a', where a string is wanted",
        "{'__metadata__':[],'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} | __metadata__ is no JSON object",
        "{'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} x | its header is no sound JSON: ",
        "{'x':{'dtype':'U8','shape':[8],'data_offsets':[0,8]} | its header is no sound JSON: "})
    void unsoundHeader(String header, String message) throws IOException {
        write(header.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        assertThat(refusal()).startsWith(file + ": " + message);
    }

    @Test
    void headerThatIsNoText() throws IOException {
        write("{\"\u00ff\"".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(refusal()).isEqualTo(file + ": its header is no UTF-8 text");
    }

    @Test
    void headerNestedTooDeeply() throws IOException {
        write(("{\"x\":" + "[".repeat(200_000) + "]".repeat(200_000) + "}").getBytes(StandardCharsets.UTF_8));
        assertThat(refusal()).startsWith(file + ": its header is no sound JSON: Document nesting depth");
    }

    @Test
    void headerTooLong() throws IOException {
        Files.write(file, ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_001).put((byte) '{').array());
        assertThat(refusal()).startsWith(file + ": no safetensors file: its header, of 100000001 bytes,");
        Files.write(file, ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN).putLong(-1).put((byte) '{').array());
        assertThat(refusal()).startsWith(file + ": no safetensors file: its header, of 18446744073709551615 bytes,");
        Files.write(file, ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN).putLong(90_000_000).put((byte) '{').array());
        assertThat(refusal()).isEqualTo(file + ": cut short: the header needs 90000000 bytes, the file has 192 after its length");
    }

    @Test
    void anotherKindOfFile() throws IOException {
        seemsToBe("\u0089PNG\r\n\u001a\n\0\0\0\rIHDR", "a PNG picture");
        seemsToBe("\u00ff\u00d8\u00ff\u00e0\0\u0010JFIF", "a JPEG picture");
        seemsToBe("RIFF\u0018\0\0\0WEBPVP8 ", "a WebP picture");
        seemsToBe("\n<!DOCTYPE html><html><body>Not found</body></html>", "a web page");
        seemsToBe("PK\u0003\u0004\0\0\b\barchive/data.pkl", "a zip archive, as PyTorch writes for .ckpt, .pt and .bin");
        seemsToBe("\u0080\u0002}q\0X\n\0\0\0state_dict", "a pickle, as old PyTorch wrote for .ckpt, .pt and .bin");
        seemsToBe("\u001f\u008b\b\0\0\0\0\0\0\u0003abc", "a gzip archive");
        seemsToBe("version https://git-lfs.github.com/spec/v1", "a Git LFS pointer: the file itself was not downloaded");
        seemsToBe("GGUF\u0003\0\0\0\0\0\0\0", "a GGUF file");
        seemsToBe("{\"_class_name\": \"UNet2DConditionModel\"}", "JSON text");
        seemsToBe("{}", "JSON text");
    }

    private void seemsToBe(String content, String kind) throws IOException {
        Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));
        assertThat(refusal()).startsWith(file + ": no safetensors file, it seems to be " + kind);
    }

    @Test
    void noFile() throws IOException {
        Files.write(file, new byte[0]);
        assertThat(refusal()).isEqualTo(file + ": no safetensors file: it has 0 bytes, fewer than the 8 of a header length");
        Files.delete(file);
        assertThat(refusal()).isEqualTo(file + ": there is no such file");
        Files.createDirectory(file);
        assertThat(refusal()).isEqualTo(file + ": a folder, where a safetensors file is wanted");
    }

    @Test
    void noSuchTensor() {
        try (var opened = SafeTensors.open(file)) {
            assertThatThrownBy(() -> opened.get("b")).isInstanceOf(CheckpointException.class).hasMessage(file + ": there is no tensor 'b'");
            assertThatThrownBy(() -> opened.shape("b")).isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void thousandsOfMutations() throws IOException {
        Random random = new Random(20);
        int headerEnd = 8 + (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String[] words = {"0", "1", "8", "9223372036854775807", "-1", "1e3", "null", "[]", "{}", "\"\"", "F64", "BOOL", ",", "}", "\\u0000", "[", "48"};
        long live = Scope.live();
        for (int i = 0; i < 3000; i++) {
            byte[] mutant = sound.clone();
            switch (random.nextInt(4)) {
                case 0 -> mutant[random.nextInt(headerEnd)] = (byte) random.nextInt(256);
                case 1 -> mutant[8 + random.nextInt(headerEnd - 8)] = (byte) ("0123456789[]{},:\"".charAt(random.nextInt(17)));
                case 2 -> mutant = Arrays.copyOf(mutant, random.nextInt(sound.length + 50));
                default -> mutant = withWord(words[random.nextInt(words.length)], 9 + random.nextInt(headerEnd - 9), headerEnd, random.nextInt(6));
            }
            Files.write(file, mutant);
            readOrRefuse("mutation " + i);
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }

    // The sound file with some characters of its header replaced, and the header's length right again.
    private byte[] withWord(String word, int at, int headerEnd, int replaced) {
        byte[] middle = word.getBytes(StandardCharsets.UTF_8);
        int from = Math.min(headerEnd, at + replaced);
        byte[] mutant = new byte[sound.length + middle.length - (from - at)];
        System.arraycopy(sound, 0, mutant, 0, at);
        System.arraycopy(middle, 0, mutant, at, middle.length);
        System.arraycopy(sound, from, mutant, at + middle.length, sound.length - from);
        ByteBuffer.wrap(mutant).order(ByteOrder.LITTLE_ENDIAN).putLong(headerEnd - 8 + middle.length - (from - at));
        return mutant;
    }

    private void readOrRefuse(String description) {
        try (var scope = new Scope(); var opened = SafeTensors.open(file)) {
            for (String name : opened.names()) {
                Tensor x = opened.get(name);
                assertThat(x.toBytes()).as(description).hasSize((int) x.nbytes());
            }
        } catch (CheckpointException e) {
            assertThat(e.getMessage()).as(description).startsWith(file + ": ").doesNotContain("\n").hasSizeLessThan(1000);
        }
    }

    private String refusal() {
        try (var opened = SafeTensors.open(file)) {
            return fail(opened.names() + " were read from a bad file");
        } catch (CheckpointException e) {
            assertThat(e.getMessage()).doesNotContain("\n");
            return e.getMessage();
        }
    }

    // A file of this header and eight bytes of data.
    private void write(byte[] header) throws IOException {
        Files.write(file, ByteBuffer.allocate(16 + header.length).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).put(header).array());
    }
}
