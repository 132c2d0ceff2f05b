package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The modules' arrows point one way, and only core knows the engine. */
class ArchitectureTest {
    /** What each module's sources may import from, besides themselves. */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.of(
            "core", Set.of(),
            "models", Set.of("core"),
            "pipelines", Set.of("core", "models"),
            "training", Set.of("core", "models", "pipelines"),
            "evaluation", Set.of("core", "models", "pipelines", "training"),
            "server", Set.of("core", "models", "pipelines"),
            "bundled", Set.of(),
            "bench", Set.of("core", "models", "pipelines", "training"),
            "cli", Set.of("core", "models", "pipelines", "training", "evaluation", "server"));
    private static final Pattern IMPORT = Pattern.compile("^import (?:static )?([a-z][\\w.]*?\\.[A-Z]\\w*)[\\w.*]*;", Pattern.MULTILINE);

    private final Path root = Path.of("").toAbsolutePath().getParent();

    @Test
    void seesTheSources() {
        Path linear = root.resolve("core/src/main/java/io/sfumato/nn/Linear.java");
        assertThat(sources()).contains(linear);
        assertThat(className(linear)).isEqualTo("io.sfumato.nn.Linear");
        assertThat(imports(linear)).contains("io.sfumato.io.Weights");
    }

    @Test
    void onlyCoreImportsTheEngine() {
        assertThat(sources().filter(source -> !module(source).equals("core") && text(source).contains("org.bytedeco"))).isEmpty();
    }

    @Test
    void arrowsPointDownwards() {
        Map<String, String> moduleOf = new LinkedHashMap<>();
        List<Path> sources = sources().toList();
        sources.forEach(source -> moduleOf.put(className(source), module(source)));
        List<String> wrong = new ArrayList<>();
        for (Path source : sources) {
            for (String imported : imports(source)) {
                String from = module(source);
                String to = moduleOf.getOrDefault(imported, from);
                if (!to.equals(from) && !MAY_IMPORT.get(from).contains(to)) {
                    wrong.add(root.relativize(source) + " imports " + imported + " of " + to);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    // Every main source of the modules named above.
    private Stream<Path> sources() {
        return MAY_IMPORT.keySet().stream().sorted().map(module -> root.resolve(module).resolve("src/main/java")).filter(Files::isDirectory)
                .flatMap(ArchitectureTest::walk).filter(file -> file.toString().endsWith(".java"));
    }

    private static Stream<Path> walk(Path folder) {
        try {
            return Files.walk(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String module(Path source) {
        return root.relativize(source).getName(0).toString();
    }

    // io.sfumato.nn.Linear for .../src/main/java/io/sfumato/nn/Linear.java
    private String className(Path source) {
        String path = root.relativize(source).toString().replace(File.separatorChar, '.');
        return path.substring((module(source) + ".src.main.java.").length(), path.length() - ".java".length());
    }

    // The top-level classes that a source imports by name.
    private static Set<String> imports(Path source) {
        return IMPORT.matcher(text(source)).results().map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    private static String text(Path source) {
        try {
            return Files.readString(source);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
