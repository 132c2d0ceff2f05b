package io.sfumato.training.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    void theIndexKnowsEveryPicture() {
        var index = ClipArt.load(FOLDER).index();
        assertThat(index).hasSize(295).allSatisfy(e -> assertThat(FOLDER.resolve(e.picture() + ".png")).exists());
        var duck = index.stream().filter(e -> e.noun().equals("duck")).findFirst().orElseThrow();
        assertThat(duck).isEqualTo(new ClipArt.Entry("rubber-duck-1", "duck", "ducks", Part.YELLOWS, List.of("toy"), List.of("rubber duck"),
                List.of("yellow"), List.of("water")));
    }

    @Test
    void linesThatAreNoIndexAreNamed(@TempDir Path folder) throws IOException {
        var index = folder.resolve("clipart.tsv");
        Files.writeString(index, "a picture\n");
        assertThatThrownBy(() -> ClipArt.load(folder).index()).hasMessage(index.toUri().toURL()
                + ": line 1 must name the columns picture noun plural part categories synonyms colours anchor");
        String head = "picture\tnoun\tplural\tpart\tcategories\tsynonyms\tcolours\tanchor\n";
        Files.writeString(index, head + "yeti-1\tyeti\n");
        assertThatThrownBy(() -> ClipArt.load(folder).index())
                .hasMessage(index.toUri().toURL() + ": line 2 has 2 columns, where 8 or more are wanted");
        Files.writeString(index, head + "yeti-1\tyeti\tyetis\tfur\tanimal\t\twhite\tground\n");
        assertThatThrownBy(() -> ClipArt.load(folder).index())
                .hasMessageStartingWith(index.toUri().toURL() + ": line 2: no part 'fur'; parts are [none, reds,");
    }

    @Test
    void withoutTheBundledModuleTheNextStepIsSaid() {
        assertThatThrownBy(ClipArt::bundled)
                .hasMessage("No clip art on the class path: add io.sfumato:bundled, or give a folder of clip art");
    }
}
