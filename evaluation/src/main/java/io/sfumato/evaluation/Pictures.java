package io.sfumato.evaluation;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.Scene;
import java.util.List;

/** Scenes as pictures, and pictures as tensors. */
final class Pictures {
    private Pictures() {
    }

    static Image of(Scene scene) {
        return Image.of(scene.size(), scene.size(), 3, scene.pixels());
    }

    static List<Image> of(List<Scene> scenes) {
        return scenes.stream().map(Pictures::of).toList();
    }

    static Image ofWorld(io.sfumato.training.world.Scene scene) {
        return Image.of(scene.size(), scene.size(), 3, scene.pixels());
    }

    static List<Image> ofWorld(List<io.sfumato.training.world.Scene> scenes) {
        return scenes.stream().map(Pictures::ofWorld).toList();
    }

    /** Pictures (B, 3, size, size) in [-1, 1], transparency over white. */
    static Tensor tensor(List<Image> pictures, int size) {
        int values = 3 * size * size;
        float[] all = new float[pictures.size() * values];
        for (int i = 0; i < pictures.size(); i++) {
            System.arraycopy(pictures.get(i).over(0xFFFFFF).resize(size, size, Resampling.BICUBIC).toChw(), 0, all, i * values, values);
        }
        return Tensor.of(all, pictures.size(), 3, size, size).mul(2).sub(1);
    }
}
