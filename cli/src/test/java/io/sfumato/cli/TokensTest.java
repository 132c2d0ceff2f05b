package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures as codes and back, with a tokenizer in each published layout; and the sheet of growing prompts. */
class TokensTest {
    private static final Path MODELS = Path.of("../models/src/test/resources/golden").toAbsolutePath().normalize();
    private static final Path PIPELINES = Path.of("../pipelines/src/test/resources/golden").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private Path picture(int width, int height) {
        Path file = folder.resolve("in.png");
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 7 % 251);
        }
        Image.of(width, height, 3, pixels).write(file);
        return file;
    }

    @ParameterizedTest
    @CsvSource({"models/vitvqgan/plain.ckpt, 16, 40", "models/dvae, 16, 40", "models/vq/attention, 256, 24",
            "pipelines/llamagen/vq.pt, 256, 40",
            "pipelines/kakao, 256, 40", "pipelines/amused/model, 256, 24", "models/vitvqgan/residual.ckpt, 48, 32"})
    void everyLayoutEncodesAndDecodes(String path, int count, int codes) {
        Path tokenizer = (path.startsWith("models") ? MODELS : PIPELINES).resolve(path.substring(path.indexOf('/') + 1));
        Path tokens = folder.resolve("t.safetensors"), again = folder.resolve("again.png"), drawn = folder.resolve("drawn.png");
        Ran ran = Ran.command("tokens", "encode", picture(32, 32), "--tokenizer", tokenizer, "--output", tokens, "--reconstruction", again);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).containsPattern("32x32 pixels as " + count + " codes; PSNR \\d+\\.\\d\\d dB, SSIM -?0\\.\\d{4}\n"
                + "\\d+ of " + codes + " codes occur, perplexity \\d+\\.\\d\n");
        assertThat(Ran.command("tokens", "decode", tokens, "--tokenizer", tokenizer, "--output", drawn).err()).isEmpty();
        assertThat(Image.read(drawn)).isEqualTo(Image.read(again));
    }

    @Test
    void wrongInputIsOneLine() throws IOException {
        Path dvae = MODELS.resolve("dvae"), tokens = folder.resolve("t.safetensors"), out = folder.resolve("o.png");
        refused("in.png: 30x16, where this tokenizer wants multiples of 8: --width and --height resize it",
                "tokens", "encode", picture(30, 16), "--tokenizer", dvae, "--output", tokens);
        assertThat(Ran.command("tokens", "encode", picture(30, 16), "--width", 32, "--tokenizer", dvae, "--output", tokens).code())
                .isZero();
        try (var scope = new Scope()) {
            SafeTensors.write(tokens, Map.of("tokens", Tensor.of(new long[] {1, 40, 2, 3}, 1, 2, 2)), Map.of());
            refused("t.safetensors: code 40 at place 1, where this tokenizer has 40 codes: 0 to 39",
                    "tokens", "decode", tokens, "--tokenizer", dvae, "--output", out);
            SafeTensors.write(tokens, Map.of("other", Tensor.of(1)), Map.of());
            refused("t.safetensors: there is no tensor 'tokens' in it", "tokens", "decode", tokens, "--tokenizer", dvae, "--output", out);
        }
        Ran ran = Ran.command("tokens", "encode", picture(32, 32), "--tokenizer", dvae, "--output", tokens,
                "--lpips", MODELS.resolve("lpips"));
        assertThat(ran.out()).containsPattern("SSIM -?0\\.\\d{4}, LPIPS \\d\\.\\d{4}\n");
        refused("dvae: no LPIPS: torchvision's VGG16 (such as vgg16-397923af.pth) is wanted in it, with a tensor features.0.weight",
                "tokens", "encode", picture(32, 32), "--tokenizer", dvae, "--output", tokens, "--lpips", dvae);
        Path lone = Files.copy(MODELS.resolve("vitvqgan/plain.ckpt"), folder.resolve("lone.ckpt"));
        refused("lone.ckpt: its sizes stand in the yaml that it was trained with: lone.yaml is wanted beside it",
                "tokens", "encode", picture(32, 32), "--tokenizer", lone, "--output", tokens);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        refused("empty: no tokenizer of pictures: neither config.json, nor encoder.pkl and decoder.pkl, nor stage1_last.ckpt is in it",
                "tokens", "encode", picture(32, 32), "--tokenizer", empty, "--output", tokens);
        assertThat(Ran.command("tokens").err()).isEqualTo("sfumato: a command is missing: tokens encode, tokens decode\n");
    }

    private static void refused(String message, Object... args) {
        Ran ran = Ran.command(args);
        assertThat(ran.code()).isEqualTo(Main.FAILED);
        assertThat(ran.err()).startsWith("sfumato: ").endsWith(message + "\n").hasLineCount(1);
    }

    @Test
    void aFolderOfResearchCodeIsInspected() {
        Ran ran = Ran.command("inspect", PIPELINES.resolve("kakao"));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("pipeline: minDALL-E").contains("stage2_last.ckpt: 4").contains("stage1_last.ckpt: ");
    }

    @Test
    void promptsGrowOnOneSheet() throws IOException {
        Path prompts = Files.writeString(folder.resolve("p.txt"), "a cat\n\na cat and a dog\n"), sheet = folder.resolve("sheet.png");
        assertThat(Ran.command("grow", prompts, "--model", PIPELINES.resolve("kakao"), "--count", 3, "--output", sheet).err()).isEmpty();
        assertThat(Image.read(sheet).width()).isEqualTo(36);
        assertThat(Image.read(sheet).height()).isEqualTo(24);
        Files.writeString(prompts, "\n");
        refused("p.txt: has no prompt: one a line is wanted", "grow", prompts, "--model", PIPELINES.resolve("kakao"), "--output", sheet);
    }
}
