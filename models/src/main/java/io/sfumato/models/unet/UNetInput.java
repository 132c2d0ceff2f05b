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
 * @param merged  share of the places that are merged for self-attention at the full size, 0 to {@link #MOST_MERGED}: token merging
 *                (Bolya and Hoffman 2023)
 */
public record UNetInput(Tensor x, Tensor t, Tensor context, List<Tensor> labels, double merged) {
    /** The share that windows of 2x2 places leave to be merged. */
    public static final double MOST_MERGED = 0.75;

    public UNetInput {
        labels = List.copyOf(labels);
        if (!(merged >= 0 && merged <= MOST_MERGED)) {
            throw new IllegalArgumentException("the share of merged places must be 0 to " + MOST_MERGED + ", not " + merged);
        }
    }

    public static UNetInput of(Tensor x, Tensor t, Tensor context) {
        return new UNetInput(x, t, context, List.of(), 0);
    }

    public UNetInput withLabel(Tensor label) {
        return new UNetInput(x, t, context, List.of(label), merged);
    }

    public UNetInput withMerged(double merged) {
        return new UNetInput(x, t, context, labels, merged);
    }
}
