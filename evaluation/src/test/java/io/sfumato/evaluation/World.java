package io.sfumato.evaluation;

import io.sfumato.training.Progress;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Scenes;
import java.nio.file.Path;

/** The clip-art world at the sizes that tests use. */
final class World {
    static final Progress SILENT = (stage, done, total, loss) -> { };

    static final ClipArt ART = ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart"));

    private World() {
    }

    static Scenes of(int size) {
        return new Scenes(Scenes.Config.ofSize(size), ART);
    }

    /** A classifier that has learnt next to nothing. */
    static SceneClassifier barelyTrained(Scenes world) {
        return new SceneClassifierTrainer(1, 2, 0.001, 0).train(world, 1, SILENT);
    }
}
