package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectTest {
    @TempDir
    private Path folder;

    @Test
    void tellsOfACheckpoint() throws IOException {
        Path file = Ran.MODEL.resolve("unet/diffusion_pytorch_model.safetensors");
        Ran ran = Ran.command("inspect", file);
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("kind: checkpoint", "  format: pt",
                "  conv_in.weight  F32 [8,4,3,3] 1152 bytes", "  down_blocks.0: ");
        JsonNode json = json("inspect", file, "--json");
        long sum = 0;
        for (JsonNode tensor : json.path("tensors")) {
            long numbers = 1;
            for (JsonNode side : tensor.path("shape")) {
                numbers *= side.asLong();
            }
            sum += numbers;
        }
        assertThat(json.path("parameters").asLong()).isEqualTo(sum).isPositive();
        assertThat(json.path("tensor count").asInt()).isEqualTo(json.path("tensors").size());
    }

    @Test
    void tellsOfAModelFolder() throws IOException {
        Path model = Ran.copyOfModel(folder.resolve("m"));
        Files.createDirectory(model.resolve("safety_checker"));
        Path index = model.resolve("model_index.json");
        Files.writeString(index, Files.readString(index)
                .replaceFirst("\"safety_checker\": \\[[^]]*]",
                        "\"safety_checker\": [\"stable_diffusion\", \"StableDiffusionSafetyChecker\"]"));
        JsonNode json = json("inspect", model, "--json");
        assertThat(json.path("pipeline").asText()).isEqualTo("StableDiffusionPipeline");
        assertThat(json.at("/components/unet/class").asText()).isEqualTo("UNet2DConditionModel");
        assertThat(json.at("/components/unet/config/sample_size").asInt()).isEqualTo(16);
        assertThat(json.at("/components/scheduler/config/_class_name").asText()).isEqualTo("PNDMScheduler");
        assertThat(json.at("/components/safety_checker/extra").asText()).isEqualTo("left alone when generating");
        long sum = 0;
        for (String part : new String[] {"text_encoder", "unet", "vae"}) {
            sum += json.at("/components/" + part + "/parameters").asLong();
        }
        assertThat(json.path("parameters").asLong()).isEqualTo(sum).isPositive();
    }

    @Test
    void tellsOfAModelInOneFile() throws IOException {
        Path file = Ran.MODEL.resolveSibling("sd1-pickle.ckpt");
        Ran ran = Ran.command("inspect", file);
        assertThat(ran.out()).contains("extras:", "  position ids: 1", "  schedule buffers: 2", "other values:", "  global_step: 12",
                "sd1-pickle.ckpt is Stable Diffusion 1 in one file");
        JsonNode json = json("inspect", Ran.MODEL.resolveSibling("sd1-single-file.safetensors"), "--json");
        assertThat(json.at("/recognised/1").asText()).startsWith("prediction epsilon (assumed)");
        assertThat(json.at("/tensors/betas/shape/0").asInt()).isEqualTo(1000);
    }

    @Test
    void convertsToTheOtherLayoutAndBack() throws IOException {
        Path out = folder.resolve("model"), back = folder.resolve("back.safetensors");
        Path file = Ran.MODEL.resolveSibling("sd1-pickle.ckpt");
        assertThat(Ran.command("models", "convert", file, out, "--config", Ran.MODEL).out()).isEqualTo(out + System.lineSeparator());
        assertThat(Ran.command("models", "convert", out, back).code()).isZero();
        assertThat(Files.readAllBytes(out.resolve("unet/diffusion_pytorch_model.safetensors")))
                .hasSameSizeAs(Files.readAllBytes(Ran.MODEL.resolve("unet/diffusion_pytorch_model.safetensors")));
        assertThat(json("inspect", back, "--json").at("/recognised/1").asText()).startsWith("prediction epsilon (told by ");
        assertThat(Ran.command("models", "convert", file, folder.resolve("x.ckpt")).err()).isEqualTo("sfumato: " + folder.resolve("x.ckpt")
                + ": PyTorch's files are read only: OUT must end in .safetensors, or be a folder" + System.lineSeparator());
        assertThat(Ran.command("models", "convert", file, out).err())
                .isEqualTo("sfumato: " + out + ": it is there already: a new folder is wanted" + System.lineSeparator());
    }

    @Test
    void tellsOfPictures() throws IOException {
        for (String name : new String[] {"a.png", "a.jpg", "a.webp"}) {
            Path file = folder.resolve(name);
            String made = new GenerationParameters("a red apple", "blue", Map.of("Steps", "4", "Seed", "7", "Size", "16x8")).format();
            ImageFile.of(Image.filled(16, 8, 0xff0000)).withText(ImageFile.PARAMETERS, made).write(file);
            JsonNode json = json("inspect", file, "--json");
            assertThat(json.path("size").asText()).isEqualTo("16x8 RGB");
            assertThat(json.path("prompt").asText()).isEqualTo("a red apple");
            assertThat(json.path("negative prompt").asText()).isEqualTo("blue");
            assertThat(json.at("/settings/Seed").asText()).isEqualTo("7");
        }
    }

    @Test
    void saysWhatItCannotRead() throws IOException {
        Path none = folder.resolve("none");
        assertThat(Ran.command("inspect", none))
                .isEqualTo(new Ran(Main.FAILED, "", "sfumato: " + none + ": there is no such file" + System.lineSeparator()));
        Path text = Files.writeString(folder.resolve("notes.txt"), "hello, this is no checkpoint at all");
        assertThat(Ran.command("inspect", text).err()).startsWith("sfumato: " + text + ": no safetensors file");
        Path picture = Files.writeString(folder.resolve("a.png"), "RIFFgarbage");
        assertThat(Ran.command("inspect", picture).code()).isEqualTo(Main.FAILED);
        assertThat(Ran.command("inspect", folder).err()).startsWith("sfumato: " + folder + ": no model folder");
    }

    private static JsonNode json(Object... args) throws IOException {
        Ran ran = Ran.command(args);
        assertThat(ran.code()).as(ran.err()).isZero();
        return new ObjectMapper().readTree(ran.out());
    }
}
