package io.sfumato.training;

import io.sfumato.families.PerceptualDistance;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;

/** How different pictures look: what trains a tokenizer of pictures besides the error of each pixel. */
interface PictureDistance extends AutoCloseable {
    /** One number for pictures (B, 3, H, W) in [0, 1] and their counterparts, that gradients flow from. */
    Tensor distance(Tensor a, Tensor b);

    @Override
    void close();

    /** LPIPS with the files in a folder, or with an empty name a small frozen network of random weights. */
    static PictureDistance of(String lpips) {
        if (lpips.isEmpty()) {
            return new FrozenFeatures();
        }
        PerceptualDistance learnt = PerceptualDistance.load(Path.of(lpips));
        return new PictureDistance() {
            @Override
            public Tensor distance(Tensor a, Tensor b) {
                return learnt.distance(a, b);
            }

            @Override
            public void close() {
                learnt.close();
            }
        };
    }
}
