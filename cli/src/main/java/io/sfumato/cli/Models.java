package io.sfumato.cli;

import io.sfumato.hub.BuiltinModels;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What models there are on this machine, and what they can become. */
@Command(name = "models", mixinStandardHelpOptions = true, description = "Tells what models there are, and converts them.",
        synopsisSubcommandLabel = "COMMAND", subcommands = {Models.Listing.class, Convert.class})
final class Models implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: models list, models convert");
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists the builtin models and those in the cache.")
    static final class Listing implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            PrintWriter out = spec.commandLine().getOut();
            for (String name : BuiltinModels.names()) {
                out.println("builtin:" + name + "  " + megabytes(BuiltinModels.bytes(name)));
            }
            for (Path folder : cached()) {
                out.println(folder + "  " + megabytes(size(folder)));
            }
            out.flush();
            return 0;
        }

        /** Every model folder below the cache. */
        private static List<Path> cached() throws IOException {
            List<Path> folders = new ArrayList<>();
            if (Files.isDirectory(BuiltinModels.cache())) {
                try (Stream<Path> files = Files.walk(BuiltinModels.cache())) {
                    files.filter(f -> f.endsWith("model_index.json")).sorted().forEach(f -> folders.add(f.getParent()));
                }
            }
            return folders;
        }

        private static long size(Path folder) throws IOException {
            long sum = 0;
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    sum += Files.size(file);
                }
            }
            return sum;
        }

        private static String megabytes(long bytes) {
            return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
        }
    }
}
