package io.sfumato.models.unet;

import io.sfumato.tensor.Tensor;
import java.util.List;

/**
 * What a {@link UNet2DCondition} is asked.
 *
 * @param x       noisy latents (B, in, H, W), any H and W
 * @param t       timesteps (B), 0 to 999, fractions allowed
 * @param context text states (B, L, E), of {@code textWidth} or else of {@code contextWidths}
 * @param labels  one for each picture, (B) of int64, for a U-Net whose config has labels; or none
 */
public record UNetInput(Tensor x, Tensor t, Tensor context, List<Tensor> labels) {
    public UNetInput {
        labels = List.copyOf(labels);
    }

    public static UNetInput of(Tensor x, Tensor t, Tensor context) {
        return new UNetInput(x, t, context, List.of());
    }

    public UNetInput withLabel(Tensor label) {
        return new UNetInput(x, t, context, List.of(label));
    }
}
