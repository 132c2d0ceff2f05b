package io.sfumato.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SceneExportTest {
    private static final World WORLD = new World(WorldConfig.sixty(16),
            ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart")));

    @TempDir
    Path temp;

    @Test
    void everyLayoutIsReadBack() {
        SceneExport export = new SceneExport(WORLD, Split.UNSEEN_PAIRS, 3, 4);
        Path folder = temp.resolve("folder"), tar = temp.resolve("set.tar"), coco = temp.resolve("coco");
        export.write(SceneExport.Layout.FOLDER, folder, (stage, done, total, loss) -> { });
        export.write(SceneExport.Layout.WEBDATASET, tar, (stage, done, total, loss) -> { });
        export.write(SceneExport.Layout.COCO, coco, (stage, done, total, loss) -> { });
        for (List<Captioned> read : List.of(ImageFolder.read(folder), WebDataset.read(List.of(tar)),
                CocoCaptions.read(coco.resolve("captions.json"), coco.resolve("images")))) {
            assertThat(read).hasSize(4);
            for (int i = 0; i < 4; i++) {
                Scene scene = WORLD.scene(Split.UNSEEN_PAIRS, 3 + i);
                assertThat(read.get(i).captions()).containsExactly(scene.caption());
                assertThat(read.get(i).image().toBytes()).isEqualTo(scene.pixels());
            }
        }
    }

    @Test
    void metadataHasTheTruth() throws IOException {
        new SceneExport(WORLD, Split.TRAINING, 0, 1).write(SceneExport.Layout.FOLDER, temp, (stage, done, total, loss) -> { });
        Scene scene = WORLD.scene(0);
        assertThat(Files.readString(temp.resolve("metadata.jsonl"))).startsWith("{\"file_name\":\"00000000.png\",\"text\":")
                .contains("\"background\":\"" + scene.background().word() + "\"",
                        "\"noun\":\"" + scene.groups().get(0).noun() + "\"", "\"box\":[");
    }

    @Test
    void refusesWhatIsThereAlready() throws IOException {
        Files.writeString(temp.resolve("file.txt"), "");
        SceneExport export = new SceneExport(WORLD, Split.TRAINING, 0, 1);
        assertThatThrownBy(() -> export.write(SceneExport.Layout.COCO, temp, (stage, done, total, loss) -> { }))
                .hasMessage(temp + ": is not empty: choose another folder");
        assertThatThrownBy(() -> export.write(SceneExport.Layout.WEBDATASET, temp.resolve("file.txt"), (stage, done, total, loss) -> { }))
                .hasMessage(temp.resolve("file.txt") + ": is there already: choose another name");
        assertThatThrownBy(() -> new SceneExport(WORLD, Split.TRAINING, -1, 1))
                .hasMessage("scenes from index -1, 1 of them: the index must be 0 or more, and at least 1 scene is wanted");
    }
}
