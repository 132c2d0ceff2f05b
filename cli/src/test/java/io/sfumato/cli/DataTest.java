package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.training.data.CocoCaptions;
import io.sfumato.training.data.WebDataset;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataTest {
    @TempDir
    private Path folder;

    @Test
    void exportsScenes() {
        Path tar = folder.resolve("scenes.tar"), coco = folder.resolve("coco");
        assertThat(Ran.command("data", "export", "--layout", "webdataset", "--count", 3, "--size", 16, "--output", tar).code()).isZero();
        assertThat(WebDataset.read(List.of(tar))).hasSize(3);
        Ran ran = Ran.command("data", "export", "--layout", "coco", "--nouns", "sixty", "--split", "unseen_colours", "--first", 9,
                "--count", 2, "--size", 16, "--output", coco);
        assertThat(ran).isEqualTo(new Ran(0, coco + System.lineSeparator(), ""));
        assertThat(CocoCaptions.read(coco.resolve("captions.json"), coco.resolve("images")).get(1).name()).isEqualTo("00000010.png");
    }

    @Test
    void refusesWhatCannotBe() {
        assertThat(Ran.command("data", "export", "--count", 0, "--output", folder).err())
                .startsWith("sfumato: scenes from index 0, 0 of them: the index must be 0 or more, and at least 1 scene is wanted");
        assertThat(Ran.command("data", "export", "--size", 8, "--output", folder).err())
                .startsWith("sfumato: The world's size must be 16 to 512, got 8");
        assertThat(Ran.command("data", "export", "--layout", "zip", "--output", folder).code()).isEqualTo(Main.MISUSED);
        assertThat(Ran.command("data").err()).startsWith("sfumato: a command is missing: data export");
    }
}
