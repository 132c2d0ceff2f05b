package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.Golden;
import io.sfumato.LiveObjects;
import io.sfumato.hub.ClipFiles;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.Clip;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CLIPs of transformers, open_clip and OpenAI against those who wrote them. */
class ClipScoreTest {
    private static final Path MODELS = Path.of("../models/src/test/resources/golden/clip");
    private static final Path HERE = Golden.file("clip/openai/golden.safetensors").getParent().getParent();

    @TempDir
    Path temp;

    private static JsonNode named(String name) {
        for (JsonNode c : JsonFile.read(MODELS.resolve("golden.json")).get("cases")) {
            if (c.path("name").asText().equals(name)) {
                return c;
            }
        }
        throw new IllegalArgumentException(name);
    }

    /** A folder of open_clip with the tiny vocabulary. */
    private Path openClip(String name) throws IOException {
        GoldenCase.lay(HERE.resolve(name), temp.resolve(name));
        for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(MODELS.resolve("model_gelu/" + file), temp.resolve(name).resolve(file));
        }
        return temp.resolve(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_quick_gelu", "model_gelu", "open_clip_quick_gelu", "open_clip_gelu"})
    void cosinesAreTransformers(String name) throws IOException {
        String inputs = name.replace("open_clip", "model");
        Path folder = name.equals(inputs) ? MODELS.resolve(name) : openClip(name);
        JsonNode c = named(inputs);
        List<String> prompts = new ArrayList<>();
        c.get("prompts").forEach(prompt -> prompts.add(prompt.asText()));
        try (SafeTensors golden = SafeTensors.open(MODELS.resolve("golden.safetensors")); ClipScore clip = ClipScore.load(folder);
                Scope scope = new Scope()) {
            List<Image> pictures = List.of(0, 1, 2).stream()
                    .map(i -> GoldenCase.picture(golden.get(inputs + "/picture_" + i + "_uint8"))).toList();
            double[][] cosines = clip.cosines(pictures, prompts);
            double scale = Math.exp(c.get("logit_scale").asDouble());
            double[] wanted = golden.get(inputs + "/logits_per_image").to(DType.F64).toDoubles();
            for (int i = 0; i < wanted.length; i++) {
                assertThat(cosines[i / prompts.size()][i % prompts.size()]).isCloseTo(wanted[i] / scale, within(1e-5));
            }
            assertThat(clip.score(pictures.get(1), prompts.get(2))).isCloseTo(2.5 * Math.max(0, cosines[1][2]), within(1e-6));
            long before = LiveObjects.settled();
            clip.score(pictures.get(0), prompts.get(0));
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    /** A TorchScript archive in float16, as OpenAI published its models; open_clip computed the directions in float32. */
    @Test
    void readsAnArchiveOfOpenAi() throws IOException {
        Path file = HERE.resolve("openai/clip.pt");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ClipFiles.open(file))
                .withMessage(file + ": its text tower knows 734 tokens, the published vocabulary 49408: vocab.json and merges.txt are "
                        + "wanted beside it");
        for (String words : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(MODELS.resolve("model_gelu/" + words), temp.resolve(words));
        }
        ClipFiles files = ClipFiles.open(Files.copy(file, temp.resolve("clip.pt")));
        try (SafeTensors golden = SafeTensors.open(HERE.resolve("openai/golden.safetensors")); TensorSource source = files.weights().get();
                Weights weights = Weights.load(source, DType.F32, Device.CPU); Scope scope = new Scope()) {
            Clip clip = weights.build(w -> new Clip(w, Clip.Config.of(files.config())), extra -> false);
            close("texts", clip.texts(golden.get("ids")), golden.get("texts"));
            close("pictures", clip.pictures(golden.get("pixels")), golden.get("pictures"));
        }
    }

    private static void close(String what, Tensor actual, Tensor wanted) {
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThan(1e-5);
    }

    @Test
    void whatIsNoClipIsNamed() throws IOException {
        refused(temp, temp + ": no CLIP: a folder with config.json or open_clip_config.json, or OpenAI's file, is wanted");
        Path folder = openClip("open_clip_gelu"), config = folder.resolve("open_clip_config.json");
        String json = Files.readString(config);
        Files.writeString(config, json.replace("\"layers\": 2,\n   \"width\": 32,\n   \"head_width\"",
                "\"timm_model_name\": \"convnext\", \"layers\": 2,\n   \"width\": 32,\n   \"head_width\""));
        refused(folder, config + ": model_cfg: vision_cfg: the keys [timm_model_name] are not supported; known are [head_width, "
                + "image_size, layers, mlp_ratio, patch_dropout, patch_size, width]");
        Files.writeString(config, json.replaceFirst("\"layers\": 2", "\"layers\": 1"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ClipScore.load(folder).close())
                .withMessageContaining("unexpected visual.transformer.resblocks.1.");
        Files.writeString(config, json);
        Files.delete(folder.resolve("open_clip_model.safetensors"));
        refused(folder, folder + ": no weights: there is no open_clip_model.safetensors, nor open_clip_pytorch_model.bin");
        Path tower = MODELS.resolve("text_encoder");
        GoldenCase.lay(tower, temp.resolve("text"));
        Files.writeString(temp.resolve("text/preprocessor_config.json"), "{}");
        Files.copy(MODELS.resolve("tokenizer/vocab.json"), temp.resolve("text/vocab.json"));
        Files.copy(MODELS.resolve("tokenizer/merges.txt"), temp.resolve("text/merges.txt"));
        refused(temp.resolve("text"), temp.resolve("text/config.json") + ": there is no text_config: a CLIP of both towers is wanted");
    }

    private static void refused(Path path, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ClipScore.load(path).close()).withMessage(message);
    }
}
