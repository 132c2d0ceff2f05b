package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that a model does not take, or does without: one line each. */
class StableDiffusionBadInputTest {
    private static final Image PICTURE = Image.filled(32, 32, 0x808080);
    private static final Prompt TEXT = Prompt.of("a cat");

    @TempDir
    Path temp;

    private Path model(String pipeline, String... parts) throws IOException {
        for (String part : parts) {
            GoldenCase.lay(Golden.file(part), temp);
        }
        ObjectNode index = (ObjectNode) JsonFile.read(temp.resolve("model_index.json"));
        Files.writeString(temp.resolve("model_index.json"), index.put("_class_name", pipeline).toString());
        return temp;
    }

    private void refused(Prompt prompt, Options options, Path model, String message) {
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(model), LoadOptions.defaults())) {
            assertThatThrownBy(() -> sd.generate(prompt, options.withSteps(2))).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(message);
        }
    }

    @Test
    void inpaintingModelsNeedAMask() throws IOException {
        Path model = model("StableDiffusionInpaintPipeline", "sd1/model", "sd1-tasks/inpaint9");
        refused(TEXT, Options.defaults(), model, "this model needs an init picture; it takes a text with an init picture, a mask");
        refused(TEXT.withInit(PICTURE), Options.defaults(), model, "this model needs a mask; it takes a text with an init picture, a mask");
    }

    private void doesNotLoad(String config, String key, Object value, String message) throws IOException {
        Path file = model("StableDiffusionPipeline", "sd1/model").resolve(config);
        ObjectNode json = (ObjectNode) JsonFile.read(file);
        Files.writeString(file, json.putPOJO(key, value).toString());
        assertThatThrownBy(() -> new StableDiffusion(new ModelFolder(temp), LoadOptions.defaults())).isInstanceOf(CheckpointException.class)
                .hasMessage(file + ": " + message);
    }

    @Test
    void partsOfDifferentModelsAreTold() throws IOException {
        doesNotLoad("unet/config.json", "cross_attention_dim", 24,
                "key 'cross_attention_dim' is [24], where 32, the width of its text encoder, is wanted");
        doesNotLoad("unet/config.json", "encoder_hid_dim", 768,
                "key 'encoder_hid_dim' is [768], where 32, the width of its text encoder, is wanted");
        doesNotLoad("unet/config.json", "out_channels", 8, "key 'out_channels' is 8, where 4, as many as latents have, is wanted");
        doesNotLoad("text_encoder/config.json", "vocab_size", 700,
                "key 'vocab_size' is 700, where 714, as many as its tokenizer has, is wanted");
    }

    @Test
    void depthModelsNeedADepthMapOfMoreThanOneShade() throws IOException {
        Path model = model("StableDiffusionDepth2ImgPipeline", "sd2/model", "sd2/base", "sd2/depth");
        refused(TEXT.withInit(PICTURE), Options.defaults(), model,
                "this model needs a depth map; it takes a text with an init picture, a depth map");
        refused(TEXT.withInit(PICTURE).with(Prompt.Role.DEPTH, PICTURE), Options.defaults(), model,
                "the depth map is of one shade: it says nothing of what is near and far");
    }

    @Test
    void enlargingKnowsSoManyNoiseLevels() throws IOException {
        Path model = model("StableDiffusionUpscalePipeline", "sd2/model", "sd2/upscaler");
        refused(TEXT, Options.defaults(), model, "this model needs an init picture; it takes a text with an init picture");
        refused(TEXT.withInit(PICTURE), Options.defaults().withNoiseLevel(50), model, "noise level must be 0 to 49, not 50");
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(model), LoadOptions.defaults())) {
            Options o = sd.complete(TEXT.withInit(Image.filled(18, 9, 0)), Options.defaults());
            assertThat(o.width()).isEqualTo(64);
            assertThat(o.height()).isEqualTo(32);
        }
    }

    @Test
    void allPromptsOfABatchComeWithTheSamePictures() {
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(Golden.file("sd1/model")), LoadOptions.defaults())) {
            assertThatThrownBy(() -> sd.generate(List.of(TEXT.withInit(PICTURE), TEXT), Options.defaults(),
                    Listener.none(), Trace.none())).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("all prompts of a batch come with the same kinds of pictures: one has [an init picture], one []");
        }
    }

    @Test
    void channelsThatNoKindHasAreRefused() throws IOException {
        Path model = model("StableDiffusionPipeline", "sd1/model");
        Path config = model.resolve("unet/config.json");
        Files.writeString(config, Files.readString(config).replace("\"in_channels\": 4", "\"in_channels\": 6"));
        assertThatThrownBy(() -> new StableDiffusion(new ModelFolder(model), LoadOptions.defaults())).isInstanceOf(CheckpointException.class)
                .hasMessage(config + ": key 'in_channels' is 6, where [4, 9, 8, 5, 7] for latents of 4 channels is wanted");
    }
}
