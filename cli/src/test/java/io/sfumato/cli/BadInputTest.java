package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every mistake is answered by one line and an exit code, and leaves no file. */
class BadInputTest {
    private static final String UNET = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "--sampler   | Eulr     | unknown sampler \"Eulr\"; the nearest are Euler, ",
        "--sampler   | dpmpp2m  | unknown sampler \"dpmpp2m\"; the nearest are dpmpp_2m, ",
        "--schedule  | karas    | unknown schedule \"karas\"; the nearest are karras, ",
        "--schedule  | karras   | schedule \"karras\": PNDMScheduler takes normal, leading, trailing",
        "--width     | 100      | width must be a multiple of 8 from 8 to 16384, not 100: the nearest are 96 and 104",
        "--height    | 7        | height must be a multiple of 8 from 8 to 16384, not 7: the nearest are 8 and 16",
        "--width     | 0        | width must be a multiple of 8 from 8 to 16384, not 0",
        "--width     | -8       | width must be a multiple of 8 from 8 to 16384, not -8",
        "--steps     | 0        | steps must be 1 to 1000, not 0",
        "--steps     | 1001     | steps must be 1 to 1000, not 1001",
        "--steps     | many     | Invalid value for option '--steps': 'many' is not an int",
        "--count     | 0        | count must be 1 to 65536, not 0",
        "--guidance  | NaN      | guidance must be a number, not NaN",
        "--guidance-rescale | 2 | guidance rescale must be 0 to 1, not 2",
        "--guidance-start | 1.5 | guidance start must be 0 to 1, not 1.5",
        "--guidance-stop | -1   | guidance stop must be 0 to 1, not -1.0",
        "--deep-cache | 0       | deep cache must be 1 (none) to 1000, not 0",
        "--token-merging | 0.8  | token merging must be 0 to 0.75, not 0.8",
        "--eta       | 1.5      | eta must be 0 to 1, not 1.5",
        "--eta       | 0.5      | eta is not used by PNDMScheduler; it is by DDIMScheduler",
        "--clip-skip | 3        | clip skip 3: this text encoder has 3 layers, so 0 to 2 may be skipped",
        "--clip-skip | -1       | clip skip must be 0 to 1000, not -1",
        "--strength  | 0        | strength must be above 0 and at most 1, not 0",
        "--strength  | 1.5      | strength must be 0 to 1, not 1.5",
        "--image-guidance | NaN | image guidance must be a number, not NaN",
        "--noise-level | 1000   | noise level must be 0 to 999, not 1000",
        "--hires-scale | 1      | hires scale must be above 1, to 8, not 1.0",
        "--hires-upscaler | ai  | unknown hires upscaler 'ai': use lanczos, bicubic or bilinear",
        "--extend    | 8        | --extend draws beyond the edges of an --init picture, and there is none",
        "--mask-blur | -1       | mask blur must be 0 to 256, not -1",
        "--mask-padding | -1    | mask padding must be 0 to 16384, not -1",
        "--mask-fill | grey     | unknown mask fill 'grey': use original, surroundings, latent-noise or latent-nothing",
        "--dtype     | f64      | unknown dtype 'f64': use f32, bf16 or f16",
        "--dtype     | f16      | f16 is not for the CPU: use f32, or bf16 where the CPU has it",
        "--device    | tpu      | unknown device 'tpu': use cpu, cuda or mps",
        "--threads   | 0        | threads must be at least 1, not 0",
        "--preview-every | 0    | preview-every must be at least 1, not 0",
        "--output    | a.gif    | a.gif: the name of a picture ends in .png, .jpg, .jpeg or .webp",
        "--preview   | a.gif    | a.gif: the name of a picture ends in .png, .jpg, .jpeg or .webp",
        "--stepz     | 5        | Unknown options: '--stepz', '5'; did you mean --st",
    })
    void refusesOptions(String option, String value, String message) throws IOException {
        Ran ran = option.equals("--output") ? Ran.generate(option, value) : with(option, value);
        refused(ran, Main.MISUSED, message);
    }

    @Test
    void refusesEightBitProductsOfOtherTypes() throws IOException {
        refused(with("--int8", "--dtype", "bf16"), Main.MISUSED, "int8 is for the CPU, beside f32: not for bf16 on cpu");
    }

    @Test
    void refusesACommandThatIsNoneOrMissing() throws IOException {
        refused(Ran.command("generat"), Main.MISUSED, "Unmatched argument at index 0: 'generat'; did you mean generate");
        refused(Ran.command(), Main.MISUSED, "a command is missing: generate, inspect, models, train, evaluate, data, tokens, grow, "
                + "doctor, completion");
        refused(Ran.command("models"), Main.MISUSED, "a command is missing: models list, models convert");
        refused(Ran.command("generate"), Main.MISUSED, "Missing required parameter: 'PROMPT'");
    }

    @Test
    void refusesCudaWhereThereIsNone() throws IOException {
        refused(with("--device", "cuda"), Main.FAILED, "no CUDA device here: ");
    }

    @Test
    void refusesWhatIsNoModel() throws IOException {
        Path none = folder.resolve("none");
        refused(with("--model", none), Main.FAILED, none + ": there is no such model folder");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        refused(with("--model", empty), Main.FAILED, empty + ": no model folder: there is no model_index.json in it");
        Path file = Files.writeString(folder.resolve("notes.txt"), "hello");
        refused(with("--model", file), Main.FAILED, file + ": no safetensors file: it has 5 bytes, fewer than the 8 of a header length");
        refused(with("--model", "builtin:none"), Main.FAILED, "");
        refused(with("--prediction", "x0"), Main.MISUSED, "prediction must be eps or v, not 'x0'");
        refused(with("--config", Ran.MODEL), Main.FAILED,
                Ran.MODEL + ": a folder has its own configs: --config is for a model in a single file");
        refused(with("--ema"), Main.FAILED,
                Ran.MODEL + ": a folder has one set of weights: --ema is for a model in a single file");
    }

    @Test
    void refusesAModelWithoutAComponent() throws IOException {
        Path model = Ran.copyOfModel(folder.resolve("m"));
        Files.delete(model.resolve(UNET));
        refused(with("--model", model), Main.FAILED,
                model.resolve("unet") + ": no weights: there is no diffusion_pytorch_model.safetensors");
        Files.delete(model.resolve("vae/config.json"));
        refused(with("--model", model), Main.FAILED, model.resolve("vae/config.json") + ": there is no such file");
        Files.writeString(model.resolve("model_index.json"), "{\"_class_name\": \"OtherPipeline\"}");
        refused(with("--model", model), Main.FAILED, model + ": its model_index.json names OtherPipeline; known are ");
    }

    @Test
    void refusesACheckpointThatIsCutShortOrLies() throws IOException {
        Path model = Ran.copyOfModel(folder.resolve("m"));
        Path weights = model.resolve(UNET);
        byte[] sound = Files.readAllBytes(weights);
        try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
            file.setLength(sound.length - 1000);
        }
        refused(with("--model", model), Main.FAILED, weights + ": ");
        String text = new String(sound, StandardCharsets.ISO_8859_1);
        Files.write(weights, text.replaceFirst("conv_in\\.bias", "conv_up.bias").getBytes(StandardCharsets.ISO_8859_1));
        refused(with("--model", model), Main.FAILED,
                weights + ": 2 tensors do not fit the config: missing conv_in.bias [8]; unexpected conv_up.bias");
        Files.writeString(weights, "<html>not found</html>");
        refused(with("--model", model), Main.FAILED, weights + ": no safetensors file, it seems to be a web page");
    }

    @Test
    void refusesPlacesThatCannotBeWritten() throws IOException {
        Path missing = folder.resolve("no/a.png");
        refused(Ran.generate("--output", missing), Main.FAILED, missing + ": cannot write: there is no folder " + missing.getParent());
        Path below = Files.writeString(folder.resolve("file"), "").resolve("a.png");
        refused(Ran.generate("--output", below), Main.FAILED, below + ": cannot write: there is no folder " + below.getParent());
        Path itself = Files.createDirectory(folder.resolve("b.png"));
        refused(Ran.generate("--output", itself), Main.FAILED, itself + ": cannot write: it is a folder");
        refused(with("--trace", missing), Main.FAILED, missing + ": cannot write: ");
        refused(with("--preview", missing), Main.FAILED, missing + ": cannot write: ");
    }

    @Test
    void refusesPicturesThatDoNotFit() throws IOException {
        Path none = folder.resolve("none.png");
        refused(with("--init", none), Main.FAILED, none + ": ");
        Path init = folder.resolve("init.png"), mask = folder.resolve("mask.png");
        Image.filled(32, 32, 0).write(init);
        Image.filled(32, 40, 0).write(mask);
        refused(with("--mask", mask), Main.MISUSED, "a mask says where to draw an init picture anew, and there is no init picture");
        refused(with("--mask", mask, "--init", init), Main.MISUSED, "the mask is 32x40, where the init picture's 32x32 is wanted");
        refused(with("--mask", init, "--init", init, "--mask-padding", 4), Main.FAILED,
                "the mask is black everywhere: there is nothing to be drawn anew");
        refused(with("--init", init, "--extend", "8,8"), Main.MISUSED,
                "--extend takes a number of pixels, or four as LEFT,TOP,RIGHT,BOTTOM, not '8,8'");
        refused(with("--init", init, "--extend", "0"), Main.MISUSED, "a picture is extended at one side at least");
        refused(with("--init", init, "--extend", "9000"), Main.MISUSED, "a picture is extended by 0 to 8192 pixels, not 9000");
        refused(with("--depth", init), Main.MISUSED, "this model does not take a depth map; it takes a text with an init picture, a mask");
        refused(with("--init", init, "--strength", 0.2), Main.MISUSED, "strength 0.2 of 4 steps leaves none: at least 0.25 is wanted");
    }

    @Test
    void refusesMoreThanMemoryHolds() throws IOException {
        Ran ran = with("--width", 16384, "--height", 16384, "--count", 64);
        refused(ran, Main.FAILED, "not enough memory: 64 pictures of 16384x16384 needs about ");
        assertThat(ran.err()).matches("(?s).* GiB, \\d+\\.\\d GiB are available; .*");
    }

    @Test
    void showsTheStackTraceWhenAsked() {
        Ran ran = with("--model", folder.resolve("none"), "--debug");
        assertThat(ran.code()).isEqualTo(Main.FAILED);
        assertThat(ran.err()).startsWith("sfumato: ").contains("\tat io.sfumato.hub.ModelFolder");
    }

    private Ran with(Object... args) {
        Object[] all = new Object[args.length + 2];
        System.arraycopy(args, 0, all, 0, args.length);
        all[args.length] = "--output";
        all[args.length + 1] = folder.resolve("a.png");
        return Ran.generate(all);
    }

    private void refused(Ran ran, int code, String message) throws IOException {
        assertThat(ran.err()).startsWith("sfumato: " + message);
        assertThat(ran.err().lines()).hasSize(1);
        assertThat(ran.code()).isEqualTo(code);
        assertThat(ran.out()).isEmpty();
        assertThat(Ran.names(folder)).doesNotContain("a.png").allMatch(name -> !name.endsWith(".part"));
    }
}
