package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The models that come with the command. */
class EmbeddedModelTest {
    @TempDir
    private Path folder;

    @Test
    void drawsWithoutBeingNamed() throws IOException {
        Path once = folder.resolve("once.png"), again = folder.resolve("again.png");
        Ran ran = Ran.command("generate", "a red strawberry", "--seed", 3, "--output", once);
        assertThat(ran.code()).as(ran.err()).isZero();
        Ran.command("generate", "a red strawberry", "--seed", 3, "--model", "builtin:first-light", "--output", again);
        assertThat(Image.read(once)).isEqualTo(Image.read(again));
        assertThat(Image.read(once).width()).isEqualTo(64);
    }

    @Test
    void clipartWorldReadsItsPromptByAFrozenLanguageModelAndEnlarges() throws IOException {
        Path picture = folder.resolve("two.png"), other = folder.resolve("other.png");
        Ran ran = Ran.command("generate", "two red apples", "--seed", 3, "--model", "builtin:clipart-world", "--output", picture);
        assertThat(ran.code()).as(ran.err()).isZero();
        Ran.command("generate", "a banana", "--seed", 3, "--model", "builtin:clipart-world", "--output", other);
        assertThat(Image.read(picture).width()).isEqualTo(256);
        assertThat(Image.read(picture)).isNotEqualTo(Image.read(other));
    }

    @Test
    void areListed() {
        assertThat(Ran.command("models", "list").out()).contains("builtin:first-light", "builtin:clipart-world");
    }
}
