package io.sfumato.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What came of a command. */
record Ran(int code, String out, String err) {
    /** The tiny Stable Diffusion 1 of the pipelines' tests: pictures of 32x32. */
    static final Path MODEL = Path.of("../pipelines/src/test/resources/golden/sd1/model").toAbsolutePath().normalize();

    /** Runs a command in this process. */
    static Ran command(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        int code = command.execute(Stream.of(args).map(Object::toString).toArray(String[]::new));
        return new Ran(code, out.toString(), err.toString());
    }

    /** {@code generate} in four steps with the tiny model, of seed 7; {@code more} may say otherwise. */
    static Ran generate(Object... more) {
        List<Object> args = new ArrayList<>(List.of("generate", "a red apple", "--steps", 4, "--seed", 7, "--model", MODEL));
        for (Object arg : more) {
            // Picocli refuses an option given twice.
            int at = args.indexOf(arg.toString());
            if (at >= 0) {
                args.remove(at);
                args.remove(at);
            }
        }
        args.addAll(List.of(more));
        return command(args.toArray());
    }

    /** The command line that starts the command in a process of its own. */
    static List<String> java(Object... args) {
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED", "-XX:-UsePerfData", "-cp", System.getProperty("surefire.test.class.path",
                System.getProperty("java.class.path")), Main.class.getName()));
        Stream.of(args).map(Object::toString).forEach(line::add);
        return line;
    }

    /** Runs a process in {@code folder}. */
    static Ran process(Path folder, List<String> line) throws IOException, InterruptedException {
        Path out = Files.createTempFile("out", ".txt");
        Path err = Files.createTempFile("err", ".txt");
        try {
            int code = new ProcessBuilder(line).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile())
                    .start().waitFor();
            return new Ran(code, Files.readString(out, StandardCharsets.UTF_8), Files.readString(err, StandardCharsets.UTF_8));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** The names in a folder. */
    static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    /** A copy of the tiny model. */
    static Path copyOfModel(Path to) throws IOException {
        try (Stream<Path> files = Files.walk(MODEL)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(MODEL.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        return to;
    }
}
