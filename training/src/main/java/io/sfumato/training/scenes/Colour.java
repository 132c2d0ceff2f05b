package io.sfumato.training.scenes;

import java.util.Locale;

/** The colours a caption may name, each with the sRGB value it is painted with. */
public enum Colour {
    RED(0xE02020), ORANGE(0xFF8A1A), YELLOW(0xFFD91A), GREEN(0x2EB82E), BLUE(0x2463EB), PURPLE(0x8E2FC4), PINK(0xFF80BF),
    BROWN(0x8B5127), GREY(0x8C8C8C), WHITE(0xFAFAFA), BLACK(0x2B2B2B);

    private final int rgb;

    Colour(int rgb) {
        this.rgb = rgb;
    }

    /** The colour as 0xRRGGBB. */
    public int rgb() {
        return rgb;
    }

    /** The caption word, in lower case. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
