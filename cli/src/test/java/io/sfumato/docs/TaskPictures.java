package io.sfumato.docs;

import io.sfumato.HiresFix;
import io.sfumato.HiresUpscaler;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Options.MaskFill;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Draws the pictures of docs/image-to-image.md and docs/large-pictures.md, from the project's folder, with the embedded model. */
final class TaskPictures {
    private TaskPictures() {
    }

    public static void main(String[] args) throws IOException {
        try (TextToImage model = TextToImage.embedded()) {
            Options o = model.defaults().withSteps(30).withSeed(11);
            Image apple = model.generate(Prompt.of("a red apple"), o);
            overAPicture(model, o, apple);
            underAMask(model, o, apple);
            inTwoPasses(model, o);
        }
    }

    private static void overAPicture(TextToImage model, Options o, Image apple) throws IOException {
        Sheet sheet = new Sheet(6);
        sheet.add("--init", shown(apple));
        for (double strength : new double[] {0.15, 0.25, 0.35, 0.5, 0.8}) {
            Prompt prompt = Prompt.of("an orange pumpkin").withInit(apple);
            sheet.add("--strength " + strength, shown(model.generate(prompt, o.withStrength(strength))));
        }
        sheet.write(Path.of("docs", "image-to-image", "strength.png"));
    }

    private static void underAMask(TextToImage model, Options o, Image apple) throws IOException {
        Image mask = mask(apple.width(), apple.height());
        Prompt prompt = Prompt.of("a purple mushroom").withInit(apple).withMask(mask);
        Sheet sheet = new Sheet(4);
        sheet.add("--init", shown(apple));
        sheet.add("--mask", shown(mask));
        sheet.add("no more", shown(model.generate(prompt, o)));
        sheet.add("--mask-blur 3", shown(model.generate(prompt, o.withMaskBlur(3))));
        for (MaskFill fill : MaskFill.values()) {
            String name = fill.name().toLowerCase().replace('_', '-');
            sheet.add(name + ", 0.4", shown(model.generate(prompt, o.withMaskFill(fill).withStrength(0.4).withMaskBlur(2))));
        }
        sheet.write(Path.of("docs", "image-to-image", "mask.png"));
    }

    private static void inTwoPasses(TextToImage model, Options o) throws IOException {
        Sheet sheet = new Sheet(4);
        Prompt prompt = Prompt.of("a blue house");
        sheet.add("64x64, enlarged", model.generate(prompt, o).resize(128, 128, Resampling.LANCZOS));
        sheet.add("128x128 at once", model.generate(prompt, o.withSize(128, 128)));
        for (String upscaler : new String[] {"lanczos", "Latent"}) {
            HiresFix fix = new HiresFix(2, HiresFix.AS_FIRST, 0.5, HiresUpscaler.named(upscaler));
            sheet.add("two passes, " + upscaler, fix.generate(model, List.of(prompt), o, Listener.none(), Trace.none()).get(0));
        }
        sheet.write(Path.of("docs", "large-pictures", "passes.png"));
    }

    /** White in the lower half. */
    private static Image mask(int width, int height) {
        byte[] pixels = new byte[3 * width * height];
        for (int y = height * 7 / 16; y < height * 15 / 16; y++) {
            for (int x = width / 8; x < width * 7 / 8; x++) {
                for (int c = 0; c < 3; c++) {
                    pixels[3 * (y * width + x) + c] = -1;
                }
            }
        }
        return Image.of(width, height, 3, pixels);
    }

    private static Image shown(Image picture) {
        return picture.resize(2 * picture.width(), 2 * picture.height(), Resampling.LANCZOS);
    }
}
