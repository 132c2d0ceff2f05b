package io.sfumato.families;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.image.Image;
import io.sfumato.io.ConfigJson;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;

/**
 * Pictures as CLIP's image tower sees them: the short side resized, the middle cut out, each channel brought to mean 0 and deviation 1.
 *
 * @param edge  what the short side becomes
 * @param width of the middle
 */
record ClipPixels(int edge, int width, int height, float[] mean, float[] deviation) {
    /** Reads a {@code preprocessor_config.json}. */
    static ClipPixels read(Path file) {
        return of(ConfigJson.read(file));
    }

    static ClipPixels of(ConfigJson json) {
        for (String key : new String[] {"do_resize", "do_center_crop", "do_rescale", "do_normalize"}) {
            json.require(key, true);
        }
        json.require("resample", 3);
        int edge = side(json, "size", "shortest_edge");
        return new ClipPixels(edge, side(json, "crop_size", "width"), side(json, "crop_size", "height"), three(json, "image_mean"),
                three(json, "image_std"));
    }

    private static int side(ConfigJson json, String key, String side) {
        JsonNode node = json.json().path(key);
        int value = node.isObject() ? node.path(side).asInt() : node.asInt();
        if (value < 1) {
            throw json.wrong(key, node, "a number of pixels, or an object with " + side);
        }
        return value;
    }

    private static float[] three(ConfigJson json, String key) {
        JsonNode node = json.json().path(key);
        if (node.size() != 3 || !node.get(0).isNumber() || !node.get(1).isNumber() || !node.get(2).isNumber()) {
            throw json.wrong(key, node, "a list of three numbers");
        }
        return new float[] {node.get(0).floatValue(), node.get(1).floatValue(), node.get(2).floatValue()};
    }

    /** (1, 3, height, width); what shines through is white. */
    Tensor of(Image picture) {
        int shorter = Math.min(picture.width(), picture.height());
        int w = Math.max(width, (int) ((long) edge * picture.width() / shorter));
        int h = Math.max(height, (int) ((long) edge * picture.height() / shorter));
        Image opaque = picture.over(0xffffff);
        try (var scope = new Scope()) {
            Tensor bytes = Tensor.of(opaque.toChw(), 1, 3, opaque.height(), opaque.width()).mul(255).round().to(DType.U8);
            Tensor middle = Functional.resizeBicubicBytes(bytes, h, w).narrow(2, (h - height) / 2, height)
                    .narrow(3, (w - width) / 2, width).to(DType.F32).div(255);                            // (1, 3, height, width)
            return scope.keep(middle.sub(Tensor.of(mean, 1, 3, 1, 1)).div(Tensor.of(deviation, 1, 3, 1, 1)));
        }
    }
}
