package io.sfumato.nn;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Sinusoids of a timestep, as positions in a Transformer (Ho et al. 2020, appendix B; Vaswani et al. 2017, 3.5). */
public final class TimestepEmbedding {
    private TimestepEmbedding() {
    }

    /**
     * Angles {@code t * 10000^(-i / (width/2 - shift))} for i from 0 to width/2 - 1.
     *
     * @param t (B), any number type; fractions allowed
     * @param cosFirst whether cosines stand before sines (diffusers' {@code flip_sin_to_cos})
     * @return (B, width) float32; an odd width ends in a zero
     */
    public static Tensor sinusoid(Tensor t, int width, boolean cosFirst, double shift) {
        int half = width / 2;
        float[] frequencies = new float[half];
        for (int i = 0; i < half; i++) {
            // Float32 step by step, as the reference computes it: at t = 999 a rounding of the exponent shows.
            frequencies[i] = (float) Math.exp((float) ((float) (-Math.log(10000) * i) / (half - shift)));
        }
        Tensor angles = t.to(DType.F32).unsqueeze(1).mul(Tensor.of(frequencies, half).to(t.device()));  // (B, width/2)
        Tensor waves = cosFirst ? Tensor.cat(-1, angles.cos(), angles.sin()) : Tensor.cat(-1, angles.sin(), angles.cos());
        return width % 2 == 0 ? waves : Functional.pad(waves, 0, 1);                                                                // (B, width)
    }
}
