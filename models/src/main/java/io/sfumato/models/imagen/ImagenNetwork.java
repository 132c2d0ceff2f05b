package io.sfumato.models.imagen;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.Tensor;

/** The network of one of Imagen's stages, as its {@code config.json} describes it. */
@FunctionalInterface
public interface ImagenNetwork {
    /**
     * @param x     noisy pictures (B, 3, H, W), in stages that enlarge with the small ones, enlarged, beside them (B, 6, H, W)
     * @param t     times (B) in [0, 1]
     * @param level of the noise over the small pictures, (B) in [0, 1]; the first stage looks at none
     * @param text  states (B, L, E)
     * @return what the stage predicts (B, 3, H, W)
     */
    Tensor forward(Tensor x, Tensor t, Tensor level, Tensor text);

    /** {@code _class_name} ImagenUNet, the base model's, or EfficientUNet. */
    static ImagenNetwork of(Weights w, ConfigJson json) {
        if (enlarges(json)) {
            return new EfficientUNet(w, EfficientUNet.Config.of(json))::forward;
        }
        GlideUNet unet = new GlideUNet(w, GlideUNetConfig.imagen(json.integer("width", 512), json.integer("levels", 4),
                json.integer("layers", 3), json.integer("head_width", 64), textWidth(json), json.integer("norm_groups", 32)));
        return (x, t, level, text) -> unet.forward(x, t.mul(1000), Conditioning.text(text));
    }

    /** Whether the stage enlarges a picture. */
    static boolean enlarges(ConfigJson json) {
        String kind = json.text("_class_name", "");
        if (!kind.equals("ImagenUNet") && !kind.equals("EfficientUNet")) {
            throw json.wrong("_class_name", kind.isEmpty() ? "missing" : kind, "ImagenUNet or EfficientUNet");
        }
        return kind.equals("EfficientUNet");
    }

    /** Width of the text states that the stage was made for. */
    static int textWidth(ConfigJson json) {
        return json.integer("text_width", 4096);
    }
}
