package io.sfumato.families;

import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What of a picture is drawn anew: the whole, or the part around the white of its mask, enlarged to the size that the model draws; then
 * laid back into the picture. As in A1111's web UI and diffusers.
 *
 * @param prompt   the prompt with the pictures of this part
 * @param laidBack whether the drawn part is laid into the whole picture, or is all that is wanted
 * @param mask     what of the whole picture is laid over
 * @param x        where the part lies in it, as {@code y}, {@code width} and {@code height}
 */
record MaskedArea(Prompt prompt, boolean laidBack, Image whole, Image mask, int x, int y, int width, int height) {
    /** Standard deviations of the blurs that colours flow under a mask by, and how often each is laid over those before. */
    private static final int[][] FLOWS = {{256, 1}, {64, 1}, {16, 2}, {4, 4}, {2, 2}, {0, 1}};

    /** @param o with the size that is drawn */
    static MaskedArea of(Prompt prompt, Options o) {
        Image whole = prompt.picture(INIT).over(0xffffff);
        Image mask = prompt.picture(MASK).over(0).blur(o.maskBlur());
        boolean only = o.maskPadding() != Options.WHOLE_PICTURE;
        int[] box = only ? box(mask, o) : new int[] {0, 0, whole.width(), whole.height()};
        int width = box[2] - box[0], height = box[3] - box[1];
        Image init = (o.maskFill() == Options.MaskFill.ORIGINAL ? whole : flowed(whole, mask)).crop(box[0], box[1], width, height);
        Map<Prompt.Role, Image> part = new EnumMap<>(prompt.pictures());
        part.put(INIT, init);
        part.put(MASK, mask.crop(box[0], box[1], width, height));
        return new MaskedArea(new Prompt(prompt.text(), prompt.negative(), part, prompt.turn()), only || o.maskBlur() > 0, whole,
                only ? mask : doubled(mask), box[0], box[1], width, height);
    }

    /** What {@code draw} makes of the prompts; where these come with masks, of their areas, laid back. */
    static List<Image> drawn(List<Prompt> prompts, Options o, Function<List<Prompt>, List<Image>> draw) {
        if (!prompts.get(0).has(MASK)) {
            return draw.apply(prompts);
        }
        List<MaskedArea> areas = prompts.stream().map(p -> of(p, o)).toList();
        List<Image> drawn = draw.apply(areas.stream().map(MaskedArea::prompt).toList());
        return IntStream.range(0, drawn.size()).mapToObj(i -> areas.get(i / o.count()).laidBack(drawn.get(i))).toList();
    }

    /** The drawn area laid into the picture where the mask is white; the picture as it was elsewhere. */
    Image laidBack(Image drawn) {
        if (!laidBack) {
            return drawn;
        }
        Image fitting = drawn.resize(width, height, Resampling.LANCZOS);
        byte[] out = whole.toBytes();
        for (int i = 0; i < out.length; i++) {
            int px = i / 3 % whole.width(), py = i / 3 / whole.width(), c = i % 3;
            int white = mask.at(px, py, c);
            if (white > 0 && px >= x && px < x + width && py >= y && py < y + height) {
                out[i] = (byte) ((fitting.at(px - x, py - y, c) * white + (out[i] & 0xff) * (255 - white) + 127) / 255);
            }
        }
        return Image.of(whole.width(), whole.height(), 3, out);
    }

    /** Left, top, right, bottom of what is not black with a margin, widened to the proportions of the size that is drawn. */
    private static int[] box(Image mask, Options o) {
        int left = mask.width(), top = mask.height(), right = 0, bottom = 0;
        for (int i = 0; i < mask.width() * mask.height(); i++) {
            int x = i % mask.width(), y = i / mask.width();
            if (mask.at(x, y, 0) + mask.at(x, y, 1) + mask.at(x, y, 2) > 0) {
                left = Math.min(left, x);
                top = Math.min(top, y);
                right = Math.max(right, x + 1);
                bottom = Math.max(bottom, y + 1);
            }
        }
        if (right == 0) {
            throw new IllegalArgumentException("the mask is black everywhere: there is nothing to be drawn anew");
        }
        left = Math.max(left - o.maskPadding(), 0);
        top = Math.max(top - o.maskPadding(), 0);
        right = Math.min(right + o.maskPadding(), mask.width());
        bottom = Math.min(bottom + o.maskPadding(), mask.height());
        double wanted = (double) o.width() / o.height();
        if ((double) (right - left) / (bottom - top) > wanted) {
            int[] side = widened(top, bottom, (int) ((right - left) / wanted), mask.height());
            return new int[] {left, side[0], right, side[1]};
        }
        int[] side = widened(left, right, (int) ((bottom - top) * wanted), mask.width());
        return new int[] {side[0], top, side[1], bottom};
    }

    /** {@code from} to {@code to} made {@code length} long about its middle, moved and at last cut to lie within 0 to {@code limit}. */
    private static int[] widened(int from, int to, int length, int limit) {
        int more = length - (to - from);
        int start = from - Math.floorDiv(more, 2);
        start = Math.max(0, Math.min(start, limit - length));
        return new int[] {start, Math.min(start + length, limit)};
    }

    /** Twice as white: what is drawn reaches to where the blur began. */
    private static Image doubled(Image mask) {
        byte[] pixels = mask.toBytes();
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) Math.min(255, 2 * (pixels[i] & 0xff));
        }
        return Image.of(mask.width(), mask.height(), 3, pixels);
    }

    /** The picture with the colours around the mask's white flown in under it. */
    private static Image flowed(Image picture, Image mask) {
        int w = picture.width(), h = picture.height();
        byte[] seen = new byte[w * h * 4];                                  // colours multiplied by alpha
        for (int i = 0; i < w * h; i++) {
            int x = i % w, y = i / w, alpha = 255 - mask.at(x, y, 0);
            for (int c = 0; c < 3; c++) {
                seen[4 * i + c] = (byte) ((picture.at(x, y, c) * alpha + 127) / 255);
            }
            seen[4 * i + 3] = (byte) alpha;
        }
        Image visible = Image.of(w, h, 4, seen);
        float[] colours = new float[w * h * 3];                             // multiplied by alpha, which is below
        float[] alphas = new float[w * h];
        for (int[] flow : FLOWS) {
            byte[] blurred = visible.blur(flow[0]).toBytes();
            for (int times = 0; times < flow[1]; times++) {
                for (int i = 0; i < alphas.length; i++) {
                    float alpha = (blurred[4 * i + 3] & 0xff) / 255f;
                    for (int c = 0; c < 3; c++) {
                        colours[3 * i + c] = (blurred[4 * i + c] & 0xff) + colours[3 * i + c] * (1 - alpha);
                    }
                    alphas[i] = alpha + alphas[i] * (1 - alpha);
                }
            }
        }
        byte[] out = new byte[w * h * 3];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Math.min(255, Math.round(alphas[i / 3] > 0 ? colours[i] / alphas[i / 3] : 0));
        }
        return Image.of(w, h, 3, out);
    }
}
