package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.OptionSpec;

/** Every option of {@code generate}, given alone, changes the numbers, or is refused, or is known to be about something else. */
class GenerateOptionsTest {
    private static final Map<String, Object> CHANGES = new LinkedHashMap<>();
    private static final Set<String> CHANGES_BY_FLAG = new TreeSet<>();
    private static final Map<String, Object> CHANGES_WITH_INIT = new LinkedHashMap<>();
    private static final Map<String, Object> CHANGES_WITH_MASK = new LinkedHashMap<>();
    private static final Map<String, Object> CHANGES_WITH_HIRES = new LinkedHashMap<>();
    private static final Map<String, String> REFUSED = Map.of(
            "--eta", "0.5",                                         // the model's own sampler is not DDIM
            "--depth", "depth.png",                                 // the model does not look at depths
            "--like", "like.png",                                   // nor as CLIP does
            "--to", "a dog",                                        // nor does it draw from what could be turned
            "--from", "a cat",
            "--towards", "0.5",
            "--frames", "3",
            "--device", "cuda");                                    // tests run without one
    private static final Map<String, List<Object>> ABOUT_ELSE = new LinkedHashMap<>();

    static {
        CHANGES.put("--negative", "blue");
        CHANGES.put("--width", 48);
        CHANGES.put("--height", 48);
        CHANGES.put("--steps", 5);
        CHANGES.put("--guidance", 3);
        CHANGES.put("--guidance-rescale", 0.7);
        CHANGES.put("--guidance-start", 0.5);
        CHANGES.put("--guidance-stop", 0.5);
        CHANGES.put("--deep-cache", 2);
        CHANGES.put("--token-merging", 0.5);
        CHANGES_BY_FLAG.add("--int8");
        CHANGES.put("--seed", 8);
        CHANGES.put("--sampler", "DDIM");
        CHANGES.put("--schedule", "trailing");
        CHANGES.put("--count", 2);
        CHANGES.put("--clip-skip", 1);
        CHANGES.put("--dtype", "bf16");
        CHANGES.put("--prediction", "v");
        CHANGES_WITH_INIT.put("--strength", 0.5);
        CHANGES_WITH_INIT.put("--mask", "mask.png");
        CHANGES_WITH_INIT.put("--extend", "8,0,8,0");
        CHANGES.put("--hires-scale", 1.5);
        CHANGES_WITH_HIRES.put("--hires-steps", 2);
        CHANGES_WITH_HIRES.put("--hires-strength", 0.5);
        CHANGES_WITH_HIRES.put("--hires-upscaler", "bilinear");
        CHANGES_WITH_MASK.put("--mask-blur", 6);
        CHANGES_WITH_MASK.put("--mask-padding", 3);
        CHANGES_WITH_MASK.put("--mask-fill", "latent-nothing");
        ABOUT_ELSE.putAll(Map.of("--output", List.of("other.png"), "--trace", List.of(), "--preview", List.of("now.png"),
                "--preview-every", List.of(2), "--threads", List.of(1), "--json", List.of(), "--quiet", List.of(), "--debug", List.of()));
        // For other models.
        ABOUT_ELSE.putAll(Map.of("--image-guidance", List.of(2), "--noise-level", List.of(5), "--temperature", List.of(2),
                "--top-k", List.of(3), "--top-p", List.of(0.5), "--guided-tokens", List.of(4), "--text-8bit", List.of()));
        ABOUT_ELSE.putAll(Map.of("--prior-steps", List.of(3), "--prior-guidance", List.of(2), "--enlarging-steps", List.of(4),
                "--likeness", List.of(0.5), "--sheet", List.of("sheet.png")));
    }

    @TempDir
    private Path folder;

    @Test
    void everyOptionHasACase() {
        Set<String> known = new TreeSet<>(CHANGES.keySet());
        known.addAll(CHANGES_BY_FLAG);
        known.addAll(REFUSED.keySet());
        known.addAll(ABOUT_ELSE.keySet());
        known.addAll(CHANGES_WITH_INIT.keySet());
        known.addAll(CHANGES_WITH_MASK.keySet());
        known.addAll(CHANGES_WITH_HIRES.keySet());
        known.addAll(Set.of("--batch", "--config", "--dry-run", "--ema", "--init", "--model", "--prompts", "--help", "--version"));
        known.addAll(Set.of("--candidates", "--judge"));        // GenerateTokensTest
        Set<String> options = Main.commandLine().getSubcommands().get("generate").getCommandSpec().options().stream()
                .map(OptionSpec::longestName).collect(Collectors.toCollection(TreeSet::new));
        assertThat(options).isEqualTo(known);
    }

    @Test
    void optionsChangeTheNumbers() throws IOException {
        byte[] base = trace();
        assertThat(trace()).as("the same twice").isEqualTo(base);
        for (var option : CHANGES.entrySet()) {
            assertThat(trace(option.getKey(), option.getValue())).as("%s", option).isNotEqualTo(base);
        }
        for (String flag : CHANGES_BY_FLAG) {
            assertThat(trace(flag)).as(flag).isNotEqualTo(base);
        }
        Path other = Ran.copyOfModel(folder.resolve("other"));
        Path scheduler = other.resolve("scheduler/scheduler_config.json");
        Files.writeString(scheduler, Files.readString(scheduler).replace("\"epsilon\"", "\"v_prediction\""));
        assertThat(trace("--model", other)).isNotEqualTo(base);
    }

    @Test
    void aModelInOneFileDrawsTheSame() throws IOException {
        byte[] base = trace();
        for (String file : List.of("sd1-single-file.safetensors", "sd1-pickle.ckpt")) {
            Path model = Ran.MODEL.resolveSibling(file);
            assertThat(trace("--model", model, "--config", Ran.MODEL)).isEqualTo(base);
            Ran ran = Ran.generate("--model", model, "--config", Ran.MODEL, "--output", folder.resolve("a.png"));
            assertThat(ran.err()).startsWith("sfumato: " + file + " is Stable Diffusion 1 in one file").contains("sfumato: prediction epsilon (told by ");
        }
    }

    @Test
    void optionsOfAnInitPictureChangeTheNumbers() throws IOException {
        Path init = folder.resolve("init.png");
        Image.filled(32, 32, 0x3060c0).write(init);
        Image.filled(32, 32, 0xffffff).write(folder.resolve("mask.png"));
        byte[] base = trace("--init", init);
        assertThat(base).isNotEqualTo(trace());
        for (var option : CHANGES_WITH_INIT.entrySet()) {
            Object value = option.getValue().toString().endsWith(".png") ? folder.resolve(option.getValue().toString()) : option.getValue();
            assertThat(trace("--init", init, option.getKey(), value)).as("%s", option).isNotEqualTo(base);
        }
    }

    @Test
    void optionsOfASecondPassChangeTheNumbers() throws IOException {
        byte[] base = trace("--hires-scale", 1.5);
        for (var option : CHANGES_WITH_HIRES.entrySet()) {
            assertThat(trace("--hires-scale", 1.5, option.getKey(), option.getValue())).as("%s", option).isNotEqualTo(base);
        }
    }

    @Test
    void optionsOfAMaskChangeTheNumbers() throws IOException {
        Path init = folder.resolve("init.png"), mask = folder.resolve("mask.png");
        Image.grid(List.of(Image.filled(16, 32, 0x3060c0), Image.filled(16, 32, 0xf0a000)), 2).write(init);
        Image black = Image.filled(8, 8, 0), white = Image.filled(8, 8, 0xffffff);
        Image.grid(List.of(black, black, black, black, black, white, black, black, black, black, black, black), 4).crop(0, 0, 32, 24)
                .resize(32, 32, Resampling.BILINEAR).write(mask);
        byte[] base = trace("--init", init, "--mask", mask, "--strength", 0.75);
        for (var option : CHANGES_WITH_MASK.entrySet()) {
            assertThat(trace("--init", init, "--mask", mask, "--strength", 0.75, option.getKey(), option.getValue())).as("%s", option)
                    .isNotEqualTo(base);
        }
    }

    @Test
    void etaChangesWhatDdimDraws() throws IOException {
        assertThat(trace("--sampler", "DDIM", "--eta", 0.5)).isNotEqualTo(trace("--sampler", "DDIM"));
    }

    @Test
    void optionsThatCannotBeFollowedAreRefused() {
        REFUSED.forEach((option, value) -> {
            Ran ran = Ran.generate("--output", folder.resolve("a.png"), option, value);
            assertThat(ran.code()).isNotZero();
            assertThat(ran.err()).startsWith("sfumato: ").hasLineCount(1);
        });
    }

    @Test
    void otherOptionsLeaveTheNumbers() throws IOException {
        byte[] base = trace("--threads", 1);
        for (var option : ABOUT_ELSE.entrySet()) {
            if (!Set.of("--output", "--trace", "--threads").contains(option.getKey())) {
                List<Object> args = new ArrayList<>(List.of("--threads", 1, option.getKey()));
                option.getValue().forEach(value -> args.add(value.toString().endsWith(".png") ? folder.resolve(value.toString()) : value));
                assertThat(trace(args.toArray())).as("%s", option).isEqualTo(base);
            }
        }
    }

    private byte[] trace(Object... args) throws IOException {
        Path file = folder.resolve("trace.safetensors");
        List<Object> all = new ArrayList<>(List.of("--output", folder.resolve("a.png"), "--trace", file));
        all.addAll(Arrays.asList(args));
        Ran ran = Ran.generate(all.toArray());
        assertThat(ran.code()).as(ran.err()).isZero();
        return Files.readAllBytes(file);
    }
}
