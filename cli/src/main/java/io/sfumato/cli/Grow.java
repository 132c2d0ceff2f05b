package io.sfumato.cli;

import io.sfumato.CherryTree;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.hub.ModelUri;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A sheet of ever longer prompts, each drawn from the same seed. */
@Command(name = "grow", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Draws each line of a file from the same seed, as one sheet: prompts that get longer show where a model stops "
                + "following.",
        footer = {"", "Example:", "  sfumato grow prompts.txt --count 4 --output sheet.png"})
final class Grow implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "PROMPTS.txt", description = "a prompt a line")
    private Path file;

    @Option(order = 1, names = "--model", paramLabel = "URI", description = "a model folder, or builtin:NAME (${DEFAULT-VALUE})")
    private String model = ModelUri.DEFAULT;

    @Option(order = 2, names = "--count", paramLabel = "N", description = "pictures of each prompt (${DEFAULT-VALUE})")
    private int count = 1;

    @Option(order = 3, names = "--seed", paramLabel = "S", description = "of the first picture of each row (${DEFAULT-VALUE})")
    private long seed;

    @Option(order = 4, names = "--output", paramLabel = "FILE", required = true, description = "ends in .png, .jpg or .webp")
    private Path output;

    @Override
    public Integer call() {
        Main.checked(spec, () -> Targets.pictures(output, 1));
        Targets.requireWritable(output);
        List<Prompt> prompts = prompts();
        try (var interruption = new Interruption(); TextToImage drawer = TextToImage.load(model)) {
            Options options = Main.checked(spec, () -> drawer.defaults().withCount(count).withSeed(seed));
            CherryTree.grow(drawer, prompts, options, new Listener() {
                @Override
                public void onStep(Step step) {
                    interruption.check();
                }
            }).write(output);
            spec.commandLine().getOut().println(output);
            spec.commandLine().getOut().flush();
        }
        return 0;
    }

    private List<Prompt> prompts() {
        List<Prompt> prompts = PromptFile.lines(file).stream().filter(line -> !line.isBlank()).map(String::strip).map(Prompt::of).toList();
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException(file + ": has no prompt: one a line is wanted");
        }
        return prompts;
    }
}
