package io.sfumato.tensor;

/** Where the numbers between those of a map come from, as PyTorch's {@code interpolate} names it. */
public enum Interpolation {
    /** The number to the upper left. */
    NEAREST,
    /** The nearest number: Pillow's and OpenCV's, which {@link #NEAREST} misses by half a pixel. */
    NEAREST_EXACT,
    BILINEAR,
    /** Cubic convolution with a = -0.75, or -0.5 where aliases are kept out. */
    BICUBIC
}
