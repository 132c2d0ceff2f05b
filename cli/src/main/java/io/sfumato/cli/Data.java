package io.sfumato.cli;

import io.sfumato.training.data.SceneExport;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Data sets. */
@Command(name = "data", mixinStandardHelpOptions = true, description = "Makes data sets.", synopsisSubcommandLabel = "COMMAND",
        subcommands = Data.Export.class)
final class Data implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: data export");
    }

    /** Which nouns there are. */
    enum Nouns {
        SIXTY, ALL
    }

    @Command(name = "export", mixinStandardHelpOptions = true, sortOptions = false,
            description = "Writes captioned scenes of clip-art world with their truth: as a folder with metadata.jsonl, a webdataset, or"
                    + " COCO captions.",
            footer = {"", "Example:", "  sfumato data export --layout webdataset --count 10000 --size 64 --output scenes.tar"})
    static final class Export implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Option(order = 1, names = "--layout", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE})")
        private SceneExport.Layout layout = SceneExport.Layout.FOLDER;

        @Option(order = 2, names = "--count", paramLabel = "N", description = "of scenes (${DEFAULT-VALUE})")
        private int count = 1000;

        @Option(order = 3, names = "--size", paramLabel = "PIXELS", description = "side of the pictures, 16 to 512 (${DEFAULT-VALUE})")
        private int size = 256;

        @Option(order = 4, names = "--nouns", paramLabel = "WHICH",
                description = "all of them in every style, or sixty plain ones (${DEFAULT-VALUE})")
        private Nouns nouns = Nouns.ALL;

        @Option(order = 5, names = "--split", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE})")
        private Split split = Split.TRAINING;

        @Option(order = 6, names = "--first", paramLabel = "INDEX", description = "of the first scene in its split (${DEFAULT-VALUE})")
        private long first;

        @Option(order = 7, names = "--output", paramLabel = "PATH", required = true, description = "a new folder, or file of a webdataset")
        private Path output;

        @Option(order = 8, names = "--quiet", description = "no progress")
        private boolean quiet;

        @Override
        public Integer call() {
            SceneExport export = Main.checked(spec, () -> {
                WorldConfig config = nouns == Nouns.ALL ? WorldConfig.all(size) : WorldConfig.sixty(size);
                return new SceneExport(new World(config, ClipArt.bundled()), split, first, count);
            });
            PrintWriter err = spec.commandLine().getErr();
            try (var progress = new ProgressLine(err, !quiet && ProgressLine.onTerminal())) {
                export.write(layout, output, (stage, done, total, loss) -> progress.step(stage, done, total, ""));
            }
            spec.commandLine().getOut().println(output);
            spec.commandLine().getOut().flush();
            return 0;
        }
    }
}
