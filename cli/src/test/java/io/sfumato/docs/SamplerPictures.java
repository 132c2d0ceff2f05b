package io.sfumato.docs;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Draws docs/samplers/montage.jpg, from the project's folder: what each sampler makes of the same noise in 8, 15 and 30 steps. */
final class SamplerPictures {
    private static final List<String> SAMPLERS = List.of("DDIM", "DDIM CFG++", "PLMS", "Euler", "Heun", "LMS", "DPM2", "DPM++ 2M",
            "DPM++ 2M Karras", "UniPC", "DEIS", "DPM fast", "DPMSolverSinglestepScheduler", "Euler a", "DPM2 a", "DPM++ 2S a",
            "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 3M SDE", "SA Solver", "Restart", "DPM adaptive", "DDPM");

    private SamplerPictures() {
    }

    public static void main(String[] args) throws IOException {
        Sheet sheet = new Sheet(4);
        try (TextToImage model = TextToImage.embedded()) {
            for (String sampler : SAMPLERS) {
                sheet.add(sampler, picture(model, sampler, 8), picture(model, sampler, 15), picture(model, sampler, 30));
            }
        }
        sheet.write(Path.of("docs", "samplers", "montage.jpg"));
    }

    private static Image picture(TextToImage model, String sampler, int steps) {
        Options options = model.defaults().withSampler(sampler).withSteps(steps).withSeed(3);
        return model.generate(Prompt.of("a red apple left of a blue house"), options);
    }
}
