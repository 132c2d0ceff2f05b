package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Prompt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * A prompt a line, as for A1111's script "Prompts from file": the words alone, or options in its spelling or the command's own,
 * {@code --prompt "a cat" --seed 3 --cfg_scale 7}. What a line leaves open is as on the command line.
 */
final class PromptFile {
    /** A1111's names of options, and the command's. */
    private static final Map<String, String> NAMES = Map.of("--negative_prompt", "--negative", "--cfg_scale", "--guidance",
            "--sampler_name", "--sampler", "--scheduler", "--schedule", "--denoising_strength", "--strength");
    private static final String RANDOM = "-1";

    @Command(name = "a line", sortOptions = false)
    private static final class Line implements Runnable {
        @Option(names = "--prompt", required = true)
        private String prompt;

        @Option(names = "--n_iter")
        private List<Integer> batches = List.of();

        @Option(names = "--batch_size")
        private List<Integer> each = List.of();

        @Mixin
        private final PictureOptions options = new PictureOptions();

        /** As many pictures as A1111 draws: batches times pictures in each. */
        Options counted(Options o) {
            List<Integer> factors = Stream.of(batches, each).flatMap(List::stream).map(n -> o.withCount(n).count()).toList();
            long count = factors.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
            return factors.isEmpty() ? o : o.withCount((int) Math.min(count, Integer.MAX_VALUE));
        }

        @Override
        public void run() {
        }
    }

    private PromptFile() {
    }

    /** @throws IllegalArgumentException for a line that is not understood, with file and line */
    static List<Asked> read(Path file, CommandSpec spec, PictureOptions command) {
        List<Asked> all = new ArrayList<>();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty()) {
                Asked asked = asked(line, file + ":" + (i + 1), spec, command);
                asked.count();                                              // options that are out of range
                all.add(asked);
            }
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException(file + ": there is no prompt in it: one a line is wanted");
        }
        return all;
    }

    /** The lines of a file that the user wrote. */
    static List<String> lines(Path file) {
        try {
            return Files.readString(file).lines().toList();
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + ": there is no such file");
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": it is no text in UTF-8");
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot read: " + e.getMessage(), e);
        }
    }

    private static Asked asked(String text, String where, CommandSpec spec, PictureOptions command) {
        Line line = new Line();
        try {
            new CommandLine(line).setExpandAtFiles(false).setCaseInsensitiveEnumValuesAllowed(true)
                    .parseArgs((text.startsWith("--") ? arguments(text) : List.of("--prompt", text)).toArray(String[]::new));
            Prompt prompt = line.options.change(command.change(Prompt.of(line.prompt)));
            boolean seeded = line.options.hasSeed() || command.hasSeed();
            long random = ThreadLocalRandom.current().nextLong(1L << 32);
            return new Asked(spec, where, prompt, o -> {
                Options changed = line.counted(line.options.change(command.change(o)));
                return seeded ? changed : changed.withSeed(random);
            });
        } catch (ParameterException | IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }

    /** Words under the command's names; a prompt goes on to the next option, quoted or not. */
    private static List<String> arguments(String line) {
        List<String> arguments = new ArrayList<>();
        String name = "";
        for (String word : words(line)) {
            int last = arguments.size() - 1;
            if (word.startsWith("--")) {
                name = NAMES.getOrDefault(word, word);
                arguments.add(name);
            } else if ((name.equals("--prompt") || name.equals("--negative")) && !arguments.get(last).equals(name)) {
                arguments.set(last, arguments.get(last) + " " + word);
            } else if (name.equals("--seed") && word.equals(RANDOM)) {
                arguments.add(String.valueOf(ThreadLocalRandom.current().nextLong(1L << 32)));
            } else {
                arguments.add(word);
            }
        }
        return arguments;
    }

    /** As a shell splits them: quotes of both kinds, and backslashes before quotes, spaces and themselves. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' && quote != '\'' && i + 1 < line.length() && (quote == 0 || "\"\\".indexOf(line.charAt(i + 1)) >= 0)) {
                word.append(line.charAt(++i));
                begun = true;
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
                begun = true;
            } else if (quote == 0 && Character.isWhitespace(c)) {
                if (begun) {
                    words.add(word.toString());
                }
                word.setLength(0);
                begun = false;
            } else {
                word.append(c);
                begun = true;
            }
        }
        if (quote != 0) {
            throw new IllegalArgumentException("the quote " + quote + " is not closed");
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }
}
