package io.sfumato.training.scenes;

import java.awt.Color;

/** Which pixels of a picture take another colour: a band of hues (centre and half width in degrees), the unsaturated ones, or none. */
public enum Part {
    NONE(0, 0), REDS(0, 25), ORANGES(30, 25), YELLOWS(50, 22), GREENS(115, 50), CYANS(190, 25), BLUES(235, 25), PURPLES(285, 40),
    PINKS(325, 30), VIVID(0, 180), NEUTRAL(0, 0);

    private static final double SOFT = 10;

    private final double hue;
    private final double width;

    Part(double hue, double width) {
        this.hue = hue;
        this.width = width;
    }

    /** How much a pixel belongs to the part, 0 to 1; soft at the borders so that anti-aliased edges stay clean. */
    double weight(int red, int green, int blue) {
        var hsb = Color.RGBtoHSB(red, green, blue, null);
        double saturation = hsb[1];
        return switch (this) {
            case NONE -> 0;
            case NEUTRAL -> ramp((0.35 - saturation) / 0.1);
            default -> {
                double turn = Math.abs(hsb[0] * 360 - hue);
                yield ramp((width + SOFT - Math.min(turn, 360 - turn)) / SOFT) * ramp((saturation - 0.1) / 0.15);
            }
        };
    }

    private static double ramp(double x) {
        return Math.max(0, Math.min(1, x));
    }
}
