package io.sfumato;

import io.sfumato.image.Image;
import java.util.EnumMap;
import java.util.Map;

/**
 * A picture drawn on beyond its edges: as {@link Prompt#withMask masks} are, on a larger picture. Any model that draws in masks can.
 *
 * @param left pixels to draw beyond that edge, 0 or more, as {@code top}, {@code right} and {@code bottom}
 */
public record Outpainting(int left, int top, int right, int bottom) {
    private static final int MOST = 1 << 13;

    public Outpainting {
        for (int side : new int[] {left, top, right, bottom}) {
            if (side < 0 || side > MOST) {
                throw new IllegalArgumentException("a picture is extended by 0 to " + MOST + " pixels, not " + side);
            }
        }
        if (left + top + right + bottom == 0) {
            throw new IllegalArgumentException("a picture is extended at one side at least");
        }
    }

    /**
     * The prompt with its init picture on a larger one, whose colours go on from the edges, and a mask that is white around it, and where
     * the prompt's own mask is.
     */
    public Prompt of(Prompt prompt) {
        Image picture = prompt.picture(Prompt.Role.INIT).over(0xffffff);
        int w = picture.width(), h = picture.height(), width = left + w + right, height = top + h + bottom;
        boolean masked = prompt.has(Prompt.Role.MASK);
        Image own = masked ? prompt.picture(Prompt.Role.MASK).over(0) : picture;
        byte[] colours = new byte[width * height * 3], white = new byte[colours.length];
        for (int i = 0; i < colours.length; i++) {
            int x = i / 3 % width - left, y = i / 3 / width - top, c = i % 3;
            int nearX = Math.min(Math.max(x, 0), w - 1), nearY = Math.min(Math.max(y, 0), h - 1);
            colours[i] = (byte) picture.at(nearX, nearY, c);
            boolean inside = x == nearX && y == nearY;
            white[i] = (byte) (!inside ? 255 : masked ? own.at(x, y, c) : 0);
        }
        Map<Prompt.Role, Image> pictures = new EnumMap<>(prompt.pictures());
        pictures.put(Prompt.Role.INIT, Image.of(width, height, 3, colours));
        pictures.put(Prompt.Role.MASK, Image.of(width, height, 3, white));
        return new Prompt(prompt.text(), prompt.negative(), pictures, prompt.turn());
    }
}
