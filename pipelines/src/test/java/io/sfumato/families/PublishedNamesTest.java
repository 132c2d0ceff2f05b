package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Golden;
import io.sfumato.LoadOptions;
import io.sfumato.TextToImage;
import io.sfumato.hub.FileHints;
import io.sfumato.hub.KnownExtras;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.TensorSource;
import io.sfumato.io.TorchPickle;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints with the names of the published ones: each loads, and every tensor comes to its place. */
class PublishedNamesTest {
    private static final List<String> COMPONENTS = List.of("text_encoder", "unet", "vae");

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"sd14-full-ema, sd-v1-4-full-ema.ckpt", "sd15-hub, ''", "sd15-fp16, ''", "sd15-shards, ''",
        "sd21-768-v, v2-1_768-ema-pruned.safetensors"})
    void loadsAndPutsEveryTensorInItsPlace(String archive, String file) throws IOException {
        unpack(archive);
        ModelFolder model = new ModelFolder(temp.resolve(file));
        try (TextToImage drawer = Families.load(model, LoadOptions.defaults())) {
            assertThat(drawer.defaults().width()).isEqualTo(archive.startsWith("sd21") ? 768 : 512);
        }
        for (String component : COMPONENTS) {
            try (TensorSource source = model.weights(component)) {
                source.names().stream().filter(name -> KnownExtras.of(name).isEmpty()).forEach(name -> assertInPlace(source, name));
            }
        }
    }

    @Test
    void theAverageIsTakenWhereItIsAskedFor() throws IOException {
        unpack("sd14-full-ema");
        Path file = temp.resolve("sd-v1-4-full-ema.ckpt");
        try (TensorSource averaged = new ModelFolder(file, new FileHints("", "", true)).weights("unet");
                TensorSource plain = new ModelFolder(file).weights("unet"); var scope = new Scope()) {
            assertThat(averaged.names()).isEqualTo(plain.names()).hasSize(686);
            averaged.names().forEach(name -> assertThat(averaged.get(name).abs().amax(false).item()).as(name).isZero());
        }
    }

    @Test
    void theTrainersOwnObjectsAreOnlyNames() throws IOException {
        unpack("sd14-full-ema");
        try (TorchPickle file = TorchPickle.open(temp.resolve("sd-v1-4-full-ema.ckpt"))) {
            Map<?, ?> tree = (Map<?, ?>) file.tree();
            assertThat(tree.get("global_step")).isEqualTo(470000L);
            assertThat(((Map<?, ?>) tree.get("callbacks")).keySet().iterator().next())
                    .hasToString("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint");
            assertThat(file.names()).hasSize(1831);
        }
    }

    // As make.py says: filled with one number that the name in diffusers tells.
    private static void assertInPlace(TensorSource source, String name) {
        String newer = name.replace(".query.", ".to_q.").replace(".key.", ".to_k.").replace(".value.", ".to_v.")
                .replace(".proj_attn.", ".to_out.0.");
        CRC32 sum = new CRC32();
        sum.update(newer.getBytes(StandardCharsets.UTF_8));
        try (var scope = new Scope()) {
            Tensor x = source.get(name);
            assertThat(x.amax(false).item()).as(name).isEqualTo(sum.getValue() % 997).isEqualTo(x.amin(false).item());
        }
    }

    private void unpack(String archive) throws IOException {
        try (InputStream in = Files.newInputStream(Golden.file("published/" + archive + ".zip"));
                ZipInputStream zip = new ZipInputStream(in)) {
            for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = temp.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.copy(zip, file);
            }
        }
    }
}
