package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.Golden;
import io.sfumato.LoadOptions;
import io.sfumato.hub.FileHints;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models in single files: the pictures of the folders that hold the same weights. */
class SingleFileTest {
    private static final Path FIRST = Golden.file("sd1/sd1-single-file.safetensors");
    private static final Path SECOND = Golden.file("sd2/sd2-v-single-file.safetensors");

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"sd1, txt2img_pndm, sd1/sd1-single-file.safetensors", "sd1, txt2img_clip_skip, sd1/sd1-pickle.ckpt",
        "sd2, v_ddim, sd2/sd2-v-single-file.safetensors", "sd2, v_euler, sd2/sd2-v-single-file.safetensors"})
    void drawsThePictureOfTheFolder(String family, String name, String file) throws IOException {
        GoldenCase golden = GoldenCase.all(family).map(arguments -> (GoldenCase) arguments.get()[2])
                .filter(c -> c.toString().equals(name)).findFirst().orElseThrow();
        GoldenCase.lay(Golden.file(family + "/model"), temp);
        golden.configure(temp);
        golden.check(new ModelFolder(Golden.file(file), new FileHints(temp.toString(), "")));
    }

    @Test
    void itsShapesAreItsConfig() {
        ModelFolder model = new ModelFolder(FIRST);
        assertThat(model.pipeline()).isEqualTo("StableDiffusionPipeline");
        UNetConfig unet = UNetConfig.of(model.config("unet"));
        assertThat(unet.widths()).containsExactly(8, 16);
        assertThat(unet.layers()).containsExactly(1, 1);
        assertThat(unet.downAttends()).containsExactly(true, false);
        assertThat(unet.upAttends()).containsExactly(true, false);
        assertThat(unet.contextWidths()).containsOnly(32);
        assertThat(unet.heads()).containsOnly(8);
        assertThat(model.config("vae").integers("block_out_channels")).containsExactly(8, 16);
        assertThat(model.config("text_encoder").integer("num_hidden_layers", 0)).isEqualTo(3);
        assertThat(model.scheduler().get("prediction_type").asText()).isEqualTo("epsilon");
        assertThat(model.notes()).containsExactly(
                "sd1-single-file.safetensors is Stable Diffusion 1 in one file (CLIP reads the text, the U-Net has 4 input channels)",
                "prediction epsilon (assumed), heads 8 at full size (assumed), 32 norm groups (assumed)");
    }

    @Test
    void whatShapesCannotTellIsTheFamilysThenTheYamlsThenTheUsers() throws IOException {
        Path file = Files.copy(SECOND, temp.resolve("two.safetensors"));
        ModelFolder alone = new ModelFolder(file);
        assertThat(UNetConfig.of(alone.config("unet")).heads()).containsExactly(1, 1);
        assertThat(alone.config("text_encoder").integer("num_hidden_layers", 0)).isEqualTo(3);
        assertThat(alone.scheduler().get("prediction_type").asText()).isEqualTo("v_prediction");
        assertThat(alone.scheduler().get("_class_name").asText()).isEqualTo("DDIMScheduler");

        Path yaml = temp.resolve("two.yaml");
        String text = Files.readString(Golden.file("sd2/sd2-v-inference.yaml"));
        Files.writeString(yaml, text.replace("parameterization: \"v\"", "parameterization: \"eps\"").replace("penultimate", "last"));
        ModelFolder told = new ModelFolder(file);
        assertThat(UNetConfig.of(told.config("unet")).heads()).containsExactly(1, 2);
        assertThat(told.config("text_encoder").integer("num_hidden_layers", 0)).isEqualTo(4);
        assertThat(told.scheduler().get("prediction_type").asText()).isEqualTo("epsilon");
        assertThat(told.notes().get(1)).isEqualTo("prediction epsilon (told by " + yaml + "), heads 1 at full size (told by " + yaml
                + "), 32 norm groups (assumed)");

        ModelFolder user = new ModelFolder(file, new FileHints(Golden.file("sd2/model").toString(), "v"));
        assertThat(UNetConfig.of(user.config("unet")).groups()).isEqualTo(2);
        assertThat(user.scheduler().get("prediction_type").asText()).isEqualTo("v_prediction");
        assertThat(user.notes().get(1)).startsWith("prediction v_prediction (told by --prediction), heads 1 at full size (told by ");
        assertThat(new ModelFolder(Golden.file("sd2/model"), new FileHints("", "eps")).scheduler().get("prediction_type").asText())
                .isEqualTo("epsilon");
    }

    @Test
    void aYamlThatContradictsTheTensorsIsRefused() throws IOException {
        Path file = Files.copy(SECOND, temp.resolve("two.ckpt"));
        Path yaml = temp.resolve("two.yaml");
        String text = Files.readString(Golden.file("sd2/sd2-v-inference.yaml"));
        Files.writeString(yaml, text.replace("context_dim: 12", "context_dim: 1024"));
        refused(file, yaml + ": key 'unet_config.params.context_dim' is 1024, the checkpoint beside it has 12");
        Files.writeString(yaml, text.replace("num_head_channels: 4", "num_head_channels: four"));
        refused(file, yaml + ": key 'unet_config.params.num_head_channels' is \"four\", where a whole number is wanted");
        Files.writeString(yaml, "a: [");
        refused(file, yaml + ": no YAML: ");
        Files.writeString(yaml, "a: 1");
        refused(file, yaml + ": no config of latent diffusion: model.params is wanted in it");
    }

    @Test
    void theVocabularyIsThePublishedOneOrAFolders() {
        assertThatThrownBy(() -> new ModelFolder(FIRST).tokenizer()).hasMessage(FIRST + ": its text encoder knows 714 tokens, the published "
                + "vocabulary 49408: --config FOLDER with the tokenizer is wanted");
        FileHints hints = new FileHints(Golden.file("sd1/model").toString(), "");
        assertThat(new ModelFolder(FIRST, hints).tokenizer().vocabSize()).isEqualTo(714);
    }

    @Test
    void otherTensorsThanThoseKnownAreRefused() {
        Path more = changed(FIRST, tensors -> tensors.put("model.diffusion_model.input_blocks.9.0.weight", Tensor.ones(1)));
        refused(more, more + ": 1 tensors are of no part of Stable Diffusion 1: model.diffusion_model.input_blocks.9.0.weight");
        Path ema = changed(FIRST, tensors -> {
            tensors.put("model_ema.decay", Tensor.ones(1));
            tensors.put("first_stage_model.loss.logvar", Tensor.ones(1));
            tensors.put("posterior_mean_coef1", Tensor.ones(1));
        });
        assertThat(new ModelFolder(ema).pipeline()).isEqualTo("StableDiffusionPipeline");
    }

    @Test
    void missingTensorsAreNamed() {
        Path less = changed(FIRST, tensors -> tensors.remove("model.diffusion_model.middle_block.1.norm.weight"));
        FileHints hints = new FileHints(Golden.file("sd1/model").toString(), "");
        assertThatThrownBy(() -> Families.load(new ModelFolder(less, hints), LoadOptions.defaults()))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(less + ": 1 tensor does not fit the config: missing mid_block.attentions.0.norm.weight [16]");
    }

    @Test
    void anAutoencoderThatIsMissingComesFromTheFolder() {
        Path less = changed(FIRST, tensors -> tensors.keySet().removeIf(name -> name.startsWith("first_stage_model.")));
        refused(less, less + ": it has no autoencoder (first_stage_model.*): --config FOLDER with a vae is wanted");
        Path folder = Golden.file("sd1/model");
        try (TensorSource vae = new ModelFolder(less, new FileHints(folder.toString(), "")).weights("vae")) {
            assertThat(vae.description()).isEqualTo(folder.resolve("vae/diffusion_pytorch_model.safetensors").toString());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "conditioner.embedders.0.transformer.text_model.x | Stable Diffusion XL", "model.diffusion_model.joint_blocks.0.x | Stable Diffusion 3",
        "double_blocks.0.x | FLUX", "control_model.time_embed.0.weight | a ControlNet", "lora_unet_down_blocks_0.alpha | a LoRA",
        "down_blocks.0.resnets.0.conv1.weight | a U-Net out of a model folder", "encoder.down.0.block.0.conv1.weight | an autoencoder alone"})
    void otherModelsAreNamed(String tensor, String kind) {
        Path file = temp.resolve("other.safetensors");
        try (var scope = new Scope()) {
            SafeTensors.write(file, Map.of(tensor, Tensor.ones(1)), Map.of());
        }
        refused(file, file + ": no Stable Diffusion 1 or 2 in a single file, with U-Net, text encoder and autoencoder under the names of its "
                + "original code: it seems to be " + kind);
    }

    @Test
    void hintsAreChecked() {
        assertThatIllegalArgumentException().isThrownBy(() -> new FileHints("", "x0")).withMessage("prediction must be eps or v, not 'x0'");
        Path folder = Golden.file("sd1/model");
        assertThatThrownBy(() -> new ModelFolder(folder, new FileHints("elsewhere", "")))
                .hasMessage(folder + ": a folder has its own configs: --config is for a model in a single file");
        refused(FIRST, new FileHints("nowhere", ""), "nowhere: there is no such folder, where --config wants one with configs");
    }

    private Path changed(Path file, Consumer<Map<String, Tensor>> change) {
        Path changed = temp.resolve("changed.safetensors");
        try (var scope = new Scope(); TensorSource source = TensorSource.open(file)) {
            Map<String, Tensor> tensors = new TreeMap<>();
            source.names().forEach(name -> tensors.put(name, source.get(name)));
            change.accept(tensors);
            SafeTensors.write(changed, tensors, Map.of());
        }
        return changed;
    }

    private static void refused(Path file, String message) {
        refused(file, FileHints.NONE, message);
    }

    private static void refused(Path file, FileHints hints, String message) {
        assertThatThrownBy(() -> new ModelFolder(file, hints)).isInstanceOf(CheckpointException.class).hasMessageStartingWith(message);
    }
}
