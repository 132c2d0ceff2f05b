package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code sfumato}, in a folder as if built, with a Java that prints how it was called. */
class LauncherTest {
    @TempDir
    private Path folder;
    private Path script;

    @BeforeEach
    void layOut() throws IOException {
        script = folder.resolve("home dir/sfumato");
        Files.createDirectories(script.resolveSibling("cli/src/main"));
        Files.createDirectories(script.resolveSibling("cli/target"));
        Files.copy(Path.of("../sfumato"), script, StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(script.resolveSibling("pom.xml"), "");
        Files.writeString(script.resolveSibling("cli/pom.xml"), "");
        Files.writeString(script.resolveSibling("cli/target/built"), "");
        java("17.0.15");
    }

    private void java(String version) throws IOException {
        program("jdk/bin/java", """
                if [ "$1" = -version ]; then echo 'openjdk version "%s" 2025-04-15' >&2; exit; fi
                echo "$OMP_WAIT_POLICY $GOMP_SPINCOUNT"; echo "$GLIBC_TUNABLES"; printf '%%s\\n' "$@"
                """.formatted(version));
    }

    private void program(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/bash\n" + text);
        file.toFile().setExecutable(true);
    }

    @Test
    void startsJavaFromAnywhereThroughALink() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("home dir/sfumato"));
        Files.createDirectory(folder.resolve("elsewhere"));
        Ran ran = run(folder.resolve("elsewhere"), Map.of(), link.toString(), "generate", "two words", "");
        Path home = script.getParent().toRealPath();
        assertThat(ran).isEqualTo(new Ran(0, String.join("\n", "PASSIVE 30000",
                "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=16777216:glibc.malloc.trim_threshold=134217728", "-Xmx512m", "-XX:TieredStopAtLevel=1",
                "-Xshare:auto", "--enable-native-access=ALL-UNNAMED", "-Djava.awt.headless=true", "-Dsfumato.terminal=false",
                "-cp", home + "/cli/target/*:" + home + "/cli/target/lib/*", "io.sfumato.cli.Main", "generate", "two words", "", ""), ""));
    }

    @Test
    void leavesWhatTheUserHasSet() throws IOException, InterruptedException {
        Ran ran = run(folder, Map.of("SFUMATO_JAVA_OPTS", "-Xmx2g -Dx=y", "OMP_WAIT_POLICY", "ACTIVE",
                "GLIBC_TUNABLES", "glibc.malloc.check=1"), script.toString());
        assertThat(ran.out()).startsWith("ACTIVE \nglibc.malloc.check=1\n-Xmx2g\n-Dx=y\n-Xshare:auto\n");
    }

    /** A Java that writes its classes, as text, where it is told to; each such call leaves a line in {@code calls}. */
    private void javaThatArchives(String version, int code) throws IOException {
        program("jdk/bin/java", """
                if [ "$1" = -version ]; then echo 'openjdk version "%s" 2025-04-15' >&2; exit; fi
                for word; do
                    case $word in -XX:ArchiveClassesAtExit=*)
                        echo "$*" >>'%s'; echo noise; echo noise >&2; [ %d -ne 0 ] || echo classes >"${word#*=}"; exit %3$d ;;
                    esac
                done
                printf '%%s\\n' "$@"
                """.formatted(version, folder.resolve("calls"), code));
    }

    private List<Path> archives() throws IOException {
        try (Stream<Path> files = Files.list(script.resolveSibling("cli/target"))) {
            return files.filter(f -> f.getFileName().toString().startsWith("classes-")).sorted().toList();
        }
    }

    @Test
    void keepsTheClassesOfAStartOfEachJava() throws IOException, InterruptedException {
        javaThatArchives("17.0.15", 0);
        Ran first = run(folder, Map.of(), script.toString(), "--version");
        List<Path> made = archives();
        assertThat(made).hasSize(1);
        assertThat(made.get(0)).hasContent("classes");
        String flags = "-XX:SharedArchiveFile=" + made.get(0).toRealPath() + "\n-Xlog:cds*=off\n";
        assertThat(first.err()).isEmpty();
        assertThat(first.out()).startsWith("-Xmx512m\n-XX:TieredStopAtLevel=1\n-Xshare:auto\n" + flags).endsWith("--version\n");
        assertThat(run(folder, Map.of(), script.toString()).out()).contains(flags);
        assertThat(Files.readAllLines(folder.resolve("calls"))).hasSize(1).first().asString()
                .contains("io.sfumato.cli.Main generate a red apple --steps 1 --quiet");

        javaThatArchives("25.0.3", 0);
        assertThat(run(folder, Map.of(), script.toString()).out()).contains("-XX:SharedArchiveFile=").doesNotContain(flags);
        assertThat(archives()).hasSize(2);

        program("bin/mvn", "");
        Files.delete(script.resolveSibling("cli/target/built"));
        run(folder, Map.of("PATH", folder.resolve("bin") + ":" + System.getenv("PATH")), script.toString());
        assertThat(archives()).hasSize(1).doesNotContain(made.get(0));
    }

    @Test
    void startsWithoutAnArchiveWhereThereCanBeNone() throws IOException, InterruptedException {
        javaThatArchives("17.0.15", 1);
        for (int i = 0; i < 2; i++) {
            Ran ran = run(folder, Map.of(), script.toString(), "--version");
            assertThat(ran.err()).isEmpty();
            assertThat(ran.out()).startsWith("-Xmx512m\n-XX:TieredStopAtLevel=1\n-Xshare:auto\n--enable-native-access=ALL-UNNAMED\n");
        }
        // It is not tried again.
        assertThat(Files.readAllLines(folder.resolve("calls"))).hasSize(1);
    }

    /** Of another build, say: the real Java, with the flags of the launcher. */
    @Test
    void anArchiveThatDoesNotFitIsPassedOver() throws IOException, InterruptedException {
        Path archive = Files.writeString(folder.resolve("classes.jsa"), "no classes ".repeat(1000));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Ran plain = Ran.process(folder, List.of(java, "-Xshare:auto", "--enable-native-access=ALL-UNNAMED", "--version"));
        assertThat(Ran.process(folder, List.of(java, "-Xshare:auto", "-XX:SharedArchiveFile=" + archive, "-Xlog:cds*=off",
                "--enable-native-access=ALL-UNNAMED", "--version")).err()).isEqualTo(plain.err());
        assertThat(plain.code()).isZero();
    }

    @Test
    void whatRunsForHoursIsCompiledInFull() throws IOException, InterruptedException {
        for (String command : List.of("train", "evaluate", "data")) {
            assertThat(run(folder, Map.of(), script.toString(), command).out()).contains("-Xmx512m\n-Xshare:auto\n");
        }
        assertThat(run(folder, Map.of(), script.toString(), "tokens").out()).contains("-XX:TieredStopAtLevel=1\n");
    }

    /** It is not run here: what it does is compared by its text. */
    @Test
    void theLauncherForWindowsGivesJavaTheSameFlags() throws IOException {
        String windows = Files.readString(Path.of("../sfumato.cmd"));
        assertThat(windows).contains("for %%c in (train evaluate data) do");
        for (String said : List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:SharedArchiveFile=", "-Xlog:cds*=off",
                "--enable-native-access=ALL-UNNAMED", "-Djava.awt.headless=true", "-XX:ArchiveClassesAtExit=",
                "io.sfumato.cli.Main generate \"a red apple\" --steps 1 --quiet --output", "classes-", "OMP_WAIT_POLICY")) {
            assertThat(Files.readString(Path.of("../sfumato"))).contains(said);
            assertThat(windows).contains(said);
        }
    }

    @Test
    void saysWhatIsMissing() throws IOException, InterruptedException {
        java("11.0.2");
        assertThat(run(folder, Map.of(), script.toString()))
                .isEqualTo(new Ran(1, "", "sfumato: Java 11 is too old: install a JDK, 17 or newer, or set JAVA_HOME\n"));
        java("1.8.0_292");
        assertThat(run(folder, Map.of(), script.toString()).err())
                .isEqualTo("sfumato: Java 1.8 is too old: install a JDK, 17 or newer, or set JAVA_HOME\n");
        assertThat(run(folder, Map.of("JAVA_HOME", folder.resolve("none").toString()), script.toString()))
                .isEqualTo(new Ran(1, "", "sfumato: no Java found: install a JDK, 17 or newer, or set JAVA_HOME\n"));
    }

    @Test
    void buildsOnFirstUseAndAfterAChange() throws IOException, InterruptedException {
        program("bin/mvn", "echo \"mvn $*\"; pwd");
        Map<String, String> path = Map.of("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
        Files.delete(script.resolveSibling("cli/target/built"));
        String building = "sfumato: building, which happens once ...\nmvn -q -B -DskipTests package\n"
                + script.getParent().toRealPath() + "\n";
        Ran first = run(folder, path, script.toString(), "--version");
        assertThat(first.err()).isEqualTo(building);
        assertThat(first.out()).endsWith("--version\n");
        assertThat(run(folder, path, script.toString()).err()).isEmpty();
        Path source = Files.writeString(script.resolveSibling("cli/src/main/A.java"), "");
        source.toFile().setLastModified(System.currentTimeMillis() + 10_000);
        assertThat(run(folder, path, script.toString()).err()).isEqualTo(building);
    }

    @Test
    void doesNotStartAfterAFailedBuild() throws IOException, InterruptedException {
        program("bin/mvn", "exit 1");
        Files.delete(script.resolveSibling("cli/target/built"));
        Ran ran = run(folder, Map.of("PATH", folder.resolve("bin") + ":" + System.getenv("PATH")), script.toString());
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).endsWith("sfumato: the build failed, see above\n");
        assertThat(ran.out()).isEmpty();
    }

    private Ran run(Path from, Map<String, String> environment, String... line) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(List.of(line)).directory(from.toFile());
        for (String name : List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "GLIBC_TUNABLES", "SFUMATO_JAVA_OPTS")) {
            builder.environment().remove(name);
        }
        builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
        builder.environment().putAll(environment);
        Path err = folder.resolve("err.txt");
        Process process = builder.redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes());
        return new Ran(process.waitFor(), out, Files.readString(err));
    }
}
