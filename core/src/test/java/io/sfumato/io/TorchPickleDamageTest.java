package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.sfumato.Golden;
import io.sfumato.tensor.Scope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with a file of PyTorch, opening it ends in one line that names it. */
class TorchPickleDamageTest {
    private static final String TENSOR = "}U\1xctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1aU\3cpuK\2tQ";

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("x.pt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"protocol2.pt", "protocol4-stream.pt", "old.tar"})
    void cutAnywhere(String name) throws IOException {
        byte[] sound = Files.readAllBytes(Golden.file("torch/" + name));
        for (int length = 0; length < sound.length - 1; length += 1 + length / 50) {
            Files.write(file, Arrays.copyOf(sound, length));
            try (TorchPickle cut = TorchPickle.open(file); Scope scope = new Scope()) {
                cut.names().forEach(n -> cut.get(n).toBytes());     // a tar archive ends in empty blocks
                assertThat(name).isEqualTo("old.tar");
            } catch (CheckpointException e) {
                assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
            }
        }
    }

    // Each pickle is followed by the storage "a" of two numbers.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "K\\0(K\\2tK\\1\\205\\211}tRs. | ``",
        "K\\1(K\\2tK\\1\\205\\211}tRs. | tensor 'x' reaches to byte 12 of a storage of 8",
        "K\\0(K\\2K\\2t(K\\2K\\1t\\211}tRs. | tensor 'x' reaches to byte 16 of a storage of 8",
        "K\\0(J\\377\\377\\377\\377tK\\1\\205\\211}tRs. | tensor 'x' has the absurd shape [-1] with strides [1] from 0",
        "K\\0(K\\2tK\\1K\\1\\206\\211}tRs. | tensor 'x' has the absurd shape [2] with strides [1, 1] from 0",
        "K\\0(M\\377\\377M\\377\\377t(K\\0K\\0t\\211}tRs. | tensor 'x' repeats a storage of 8 bytes to the absurd shape",
        "K\\0K\\2K\\1\\205\\211}tRs. | tensor 'x' has a shape that is no tuple of whole numbers",
        "K\\0tRs. | tensor 'x' has 2 parts, where 6 are wanted"})
    void viewsOfAStorageThatItDoesNotHave(String rest, String message) throws IOException {
        String pickle = TENSOR + unescaped(rest);
        stream(pickle);
        if (message.isEmpty()) {
            try (TorchPickle sound = TorchPickle.open(file); Scope scope = new Scope()) {
                assertThat(sound.get("x").toFloats()).containsExactly(1, 2);
            }
        } else {
            assertThat(refusal()).startsWith(file + ": " + message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "I1\\n. | opcode 0x49 is none that a checkpoint has; pickles of protocols 2 to 5 are read",
        "\\200\\6N. | pickle protocol 6; 2 to 5 are read",
        ". | its stack is empty where a value is wanted",
        "K\\1\\206. | its stack has fewer than the 2 values wanted",
        "t. | there is no mark where one is wanted",
        "h\\5. | nothing was remembered as number 5",
        "K\\1K\\1K\\1s. | entries are added to what is no dict, or a key has no value",
        "K\\1K\\1a. | elements are added to what is no list",
        "K\\1Nb. | state is given to what is no object",
        "K\\1K\\1\\223. | a global whose names are no strings",
        "K\\1K\\1R. | the arguments of a call are no tuple",
        "\\213\\0\\20\\0\\0. | an integer of 4096 bytes, where at most 1024 are read",
        "X\\377\\377\\377\\177a. | cut short: 2147483647 bytes are wanted",
        "K\\1Q. | a persistent id that is no storage and no module"})
    void unsoundPickle(String pickle, String message) throws IOException {
        stream(unescaped(pickle));
        assertThat(refusal()).startsWith(file + ": ").contains(message);
    }

    @Test
    void manyObjectsOfFewBytesAreRefused() throws IOException {
        byte[] many = new byte[3_000_000];
        Arrays.fill(many, (byte) '}');
        stream(new String(many, StandardCharsets.ISO_8859_1));
        assertThat(refusal()).contains("it has more than 2000000 objects: no checkpoint does");
        // Twenty lists, each of ten times the one before.
        stream("]q\0" + "]q\1(h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0eq\0".repeat(20) + ".");
        try (TorchPickle shared = TorchPickle.open(file)) {
            fail(shared.names() + " were read");
        } catch (CheckpointException e) {
            assertThat(e.getMessage()).contains("nested deeper or wider than any checkpoint");
        }
    }

    @Test
    void listsWithinThemselvesEnd() throws IOException {
        stream("]q\0h\0a" + ".");
        try (TorchPickle circle = TorchPickle.open(file)) {
            assertThat(circle.names()).isEmpty();
        }
        stream("]".repeat(100_000) + "a".repeat(99_999) + ".");
        assertThat(refusal()).contains("nested deeper or wider than any checkpoint");
    }

    @Test
    void otherPicklesAndArchives() throws IOException {
        Files.write(file, bytes("\u0080\2N."));
        assertThat(refusal()).isEqualTo(file + ": a pickle, but not one of torch.save: it has no storages");
        zip(ZipEntry.STORED, "a/b.txt", new byte[1]);
        assertThat(refusal()).isEqualTo(file + ": a zip archive without data.pkl: PyTorch did not write it");
        zip(ZipEntry.DEFLATED, "a/data.pkl", bytes("\u0080\2N."));
        assertThat(refusal()).isEqualTo(file + ": its record 'a/data.pkl' is compressed or encrypted; PyTorch stores records as they are");
        zip(ZipEntry.STORED, "a/data.pkl", bytes("\u0080\2" + TENSOR + unescaped("K\\0(K\\2tK\\1\\205\\211}tRs.")));
        assertThat(refusal()).isEqualTo(file + ": tensor 'x' is in storage 'a', which the file lacks");
        Files.writeString(file, "hello, this is no checkpoint");
        assertThat(refusal()).isEqualTo(file + ": no file of PyTorch: it is no zip archive, pickle or tar archive");
        assertThat(Files.deleteIfExists(file)).isTrue();
        assertThat(refusal()).isEqualTo(file + ": there is no such file");
        Files.createDirectory(file);
        assertThat(refusal()).isEqualTo(file + ": a folder, where a file of PyTorch is wanted");
    }

    private String refusal() {
        try (TorchPickle opened = TorchPickle.open(file)) {
            return fail(opened.names() + " were read from a bad file");
        } catch (CheckpointException e) {
            assertThat(e.getMessage()).doesNotContain("\n");
            return e.getMessage();
        }
    }

    /** The stream of before PyTorch 1.6 with this tree and, if the tree has it, the storage "a". */
    private void stream(String pickle) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] magic = new BigInteger("1950a86a20f9469cfc6c", 16).toByteArray();
        out.writeBytes(new byte[] {(byte) 0x80, 2, (byte) 0x8a, (byte) magic.length});
        for (int i = magic.length - 1; i >= 0; i--) {
            out.write(magic[i]);
        }
        String keys = pickle.contains(TENSOR) ? "U\1aa" : "";
        out.writeBytes(bytes(".\u0080\2M\u00e9\3.\u0080\2}.\u0080\2" + pickle + "\u0080\2]" + keys + "."));
        if (pickle.contains(TENSOR)) {
            out.writeBytes(ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(2).putFloat(1).putFloat(2).array());
        }
        Files.write(file, out.toByteArray());
    }

    private void zip(int method, String name, byte[] data) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            CRC32 sum = new CRC32();
            sum.update(data);
            ZipEntry entry = new ZipEntry(name);
            entry.setMethod(method);
            if (method == ZipEntry.STORED) {
                entry.setSize(data.length);
                entry.setCrc(sum.getValue());
            }
            zip.putNextEntry(entry);
            zip.write(data);
        }
    }

    private static String unescaped(String text) {
        return text.translateEscapes();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
