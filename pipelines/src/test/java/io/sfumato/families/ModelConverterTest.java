package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.Golden;
import io.sfumato.LoadOptions;
import io.sfumato.hub.FileHints;
import io.sfumato.hub.KnownExtras;
import io.sfumato.hub.ModelConverter;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From one layout to the other and back: the same tensors, bit for bit, under the same names. */
class ModelConverterTest {
    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"sd1/model, sd1/sd1-single-file.safetensors", "sd1/model, sd1/sd1-pickle.ckpt",
        "sd2/model, sd2/sd2-v-single-file.safetensors"})
    void aFileBecomesTheFolderOfTheSameWeightsAndBack(String folder, String file) {
        Path model = Golden.file(folder);
        FileHints hints = new FileHints(model.toString(), "");
        Path out = temp.resolve("folder"), back = temp.resolve("back.safetensors");
        ModelConverter.toFolder(new ModelFolder(Golden.file(file), hints), out);
        assertSameFolder(model, out);
        ModelConverter.toFile(new ModelFolder(out), back);
        assertSame(Golden.file(file), back, name -> KnownExtras.of(name).isPresent() || name.contains("resblocks.3."));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd1/model", "sd2/model"})
    void aFolderBecomesAFileAndBack(String folder) {
        Path model = Golden.file(folder);
        Path file = temp.resolve("model.safetensors"), back = temp.resolve("back");
        ModelConverter.toFile(new ModelFolder(model), file);
        ModelFolder single = new ModelFolder(file);
        // Heads, prediction and layers stand in the yaml beside it; norm groups and the vocabulary are told by a folder.
        assertThat(UNetConfig.of(single.config("unet")).heads()).isEqualTo(UNetConfig.of(new ModelFolder(model).config("unet")).heads());
        assertThat(single.scheduler().get("prediction_type")).isEqualTo(new ModelFolder(model).scheduler().get("prediction_type"));
        assertThat(single.config("text_encoder").integer("num_hidden_layers", 0)).isEqualTo(3);
        ModelConverter.toFolder(new ModelFolder(file, new FileHints(model.toString(), "")), back);
        assertSameFolder(model, back);
        assertThat(new ModelFolder(back).tokenizer().ids("a cat")).isEqualTo(new ModelFolder(model).tokenizer().ids("a cat"));
        assertThat(JsonFile.read(back.resolve("scheduler/scheduler_config.json")))
                .isEqualTo(JsonFile.read(model.resolve("scheduler/scheduler_config.json")));
    }

    // As published: an inpainting model of the first generation, depths and the x4 upscaler of the second.
    @ParameterizedTest
    @CsvSource({"sd1/model, sd1-tasks/inpaint9, StableDiffusionInpaintPipeline", "sd2/model, sd2/depth, StableDiffusionDepth2ImgPipeline",
        "sd2/model, sd2/upscaler, StableDiffusionUpscalePipeline"})
    void modelsOfOtherTasksToo(String base, String part, String pipeline) throws IOException {
        Path model = temp.resolve("model"), file = temp.resolve("model.safetensors");
        GoldenCase.lay(Golden.file(base), model);
        GoldenCase.lay(Golden.file(part), model);
        ModelConverter.toFile(new ModelFolder(model), file);
        ModelFolder single = new ModelFolder(file);
        assertThat(single.pipeline()).isEqualTo(pipeline);
        UNetConfig a = UNetConfig.of(single.config("unet")), b = UNetConfig.of(new ModelFolder(model).config("unet"));
        assertThat(a.labels()).isEqualTo(b.labels());
        assertThat(a.onlyCross()).isEqualTo(b.onlyCross());
        assertThat(single.config("vae").number("scaling_factor", 0))
                .isEqualTo(new ModelFolder(model).config("vae").number("scaling_factor", 0));
        Path back = temp.resolve("back");
        ModelConverter.toFolder(new ModelFolder(file, new FileHints(model.toString(), "")), back);
        assertSameFolder(model, back);
        Families.load(new ModelFolder(file, new FileHints(model.toString(), "")), LoadOptions.defaults()).close();
    }

    @Test
    void anyCheckpointBecomesSafetensors() {
        Path file = temp.resolve("x.safetensors");
        try (TensorSource source = TensorSource.open(Golden.file("sd1/sd1-pickle.ckpt"))) {
            ModelConverter.toSafeTensors(source, file);
        }
        assertSame(Golden.file("sd1/sd1-pickle.ckpt"), file, name -> false);
    }

    @Test
    void nothingHalfIsLeft() throws IOException {
        Path folder = temp.resolve("folder");
        ModelFolder model = new ModelFolder(Golden.file("sd1/sd1-single-file.safetensors"));
        assertThatThrownBy(() -> ModelConverter.toFolder(model, folder)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("its text encoder knows 714 tokens");
        assertThat(Files.list(temp)).isEmpty();
        Files.createDirectory(folder);
        assertThatThrownBy(() -> ModelConverter.toFolder(model, folder))
                .hasMessage(folder + ": it is there already: a new folder is wanted");
    }

    private static void assertSameFolder(Path model, Path out) {
        for (String component : List.of("text_encoder", "unet", "vae")) {
            String file = component + (component.equals("text_encoder") ? "/model" : "/diffusion_pytorch_model") + ".safetensors";
            assertSame(model.resolve(file), out.resolve(file), name -> false);
        }
    }

    private static void assertSame(Path expected, Path actual, Predicate<String> left) {
        try (TensorSource a = TensorSource.open(expected); SafeTensors b = SafeTensors.open(actual); var scope = new Scope()) {
            var names = new TreeSet<>(a.names());
            names.removeIf(left);
            assertThat(b.names()).isEqualTo(names);
            for (String name : names) {
                assertThat(b.dtype(name)).as(name).isEqualTo(a.dtype(name));
                assertThat(b.shape(name)).as(name).isEqualTo(a.shape(name));
                assertThat(b.get(name).toBytes()).as(name).isEqualTo(a.get(name).toBytes());
            }
        }
    }
}
