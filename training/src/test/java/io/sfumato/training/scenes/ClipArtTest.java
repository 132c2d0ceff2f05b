package io.sfumato.training.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipArtTest {
    private static final Path FOLDER = Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart");

    @Test
    void aPictureHasAlphaAndItsLongerSideIs256() {
        var apple = ClipArt.load(FOLDER).picture("apple-1");
        assertThat(Math.max(apple.getWidth(), apple.getHeight())).isEqualTo(256);
        assertThat(apple.getRGB(0, 0) >>> 24).isZero();
    }

    @Test
    void aFolderWithoutAnIndexIsNotClipArt(@TempDir Path empty) {
        assertThatThrownBy(() -> ClipArt.load(empty))
                .hasMessage("No clip art in " + empty + ": expected a folder with clipart.tsv and PNG pictures");
    }

    @Test
    void aMissingPictureIsNamed() {
        assertThatThrownBy(() -> ClipArt.load(FOLDER).picture("yeti-1")).hasMessageStartingWith("No clip art 'yeti-1' beside ");
    }

    @Test
    void aPictureThatIsNoPngIsNamed(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("clipart.tsv"), "");
        Files.writeString(folder.resolve("text-1.png"), "not a picture");
        assertThatThrownBy(() -> ClipArt.load(folder).picture("text-1")).hasMessageStartingWith("Clip art 'text-1' is not a PNG picture (");
    }

    @Test
    void withoutTheBundledModuleTheNextStepIsSaid() {
        assertThatThrownBy(ClipArt::bundled)
                .hasMessage("No clip art on the class path: add io.sfumato:bundled, or give a folder of clip art");
    }
}
