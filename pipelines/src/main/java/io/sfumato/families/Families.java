package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import java.util.Map;

/** The families of models, by the pipeline class that a folder's {@code model_index.json} names. */
public final class Families {
    private interface Loader {
        TextToImage load(ModelFolder folder, LoadOptions options);
    }

    private interface Estimator {
        MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options);
    }

    private record Family(Loader loader, Estimator estimator) {
    }

    private static final Family STABLE_DIFFUSION = new Family(StableDiffusion::new, StableDiffusionMemory::of);

    private static final Family MINIATURE = new Family(Miniature::new, Miniature::memory);

    private static final Family DEEP_FLOYD = new Family(DeepFloyd::new, DeepFloydMemory::of);

    private static final Family KANDINSKY = new Family(Kandinsky::new, UnclipMemory::ofKandinsky);

    private static final Family AMUSED = new Family(Amused::new, Amused::memory);

    private static final Family KARLO = new Family(Karlo::new, UnclipMemory::ofKarlo);

    private static final Map<String, Family> BY_PIPELINE = Map.ofEntries(
            Map.entry("StableDiffusionPipeline", STABLE_DIFFUSION),
            Map.entry("StableDiffusionImg2ImgPipeline", STABLE_DIFFUSION),
            Map.entry("StableDiffusionInpaintPipeline", STABLE_DIFFUSION),
            Map.entry("StableDiffusionInstructPix2PixPipeline", STABLE_DIFFUSION),
            Map.entry("StableDiffusionDepth2ImgPipeline", STABLE_DIFFUSION),
            Map.entry("StableDiffusionUpscalePipeline", STABLE_DIFFUSION),
            Map.entry("AmusedPipeline", AMUSED),
            Map.entry("AmusedImg2ImgPipeline", AMUSED),
            Map.entry("AmusedInpaintPipeline", AMUSED),
            Map.entry("PartiPipeline", new Family(PartiPictures::load, PartiPictures::memory)),
            Map.entry("DallePipeline", new Family(DallePictures::load, DallePictures::memory)),
            Map.entry("minDALL-E", new Family(KakaoMinDalle::load, KakaoMinDalle::memory)),
            Map.entry("min-dalle", new Family(DalleMini::load, DalleMini::memory)),
            Map.entry("LlamaGen", new Family(LlamaGenImages::load, LlamaGenImages::memory)),
            Map.entry("ImagenPipeline", new Family(Imagen::new, Imagen::memory)),
            Map.entry("UnCLIPPipeline", KARLO),
            Map.entry("UnCLIPImageVariationPipeline", KARLO),
            Map.entry("KandinskyV22PriorPipeline", KANDINSKY),
            Map.entry("KandinskyV22Pipeline", KANDINSKY),
            Map.entry("KandinskyV22Img2ImgPipeline", KANDINSKY),
            Map.entry("KandinskyV22InpaintPipeline", KANDINSKY),
            Map.entry("IFPipeline", DEEP_FLOYD),
            Map.entry("IFImg2ImgPipeline", DEEP_FLOYD),
            Map.entry("IFInpaintingPipeline", DEEP_FLOYD),
            Map.entry("IFSuperResolutionPipeline", DEEP_FLOYD),
            Map.entry("IFImg2ImgSuperResolutionPipeline", DEEP_FLOYD),
            Map.entry("IFInpaintingSuperResolutionPipeline", DEEP_FLOYD),
            Map.entry("MiniaturePipeline", MINIATURE));

    private Families() {
    }

    public static TextToImage load(ModelFolder folder, LoadOptions options) {
        Family family = family(folder);
        if (options.int8() && family != STABLE_DIFFUSION && family != MINIATURE) {
            throw new IllegalArgumentException("int8 is for Stable Diffusion and models in miniature, not for " + folder.pipeline());
        }
        return new Foretold(family.loader.load(folder, options),
                (prompt, o) -> family.estimator.memory(folder, options, prompt, o).activations());
    }

    /** What a run would need, told without loading the model; {@code options} may leave the size to it. */
    public static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        return family(folder).estimator.memory(folder, load, prompt, options);
    }

    private static Family family(ModelFolder folder) {
        Family family = BY_PIPELINE.get(folder.pipeline());
        if (family == null) {
            throw new CheckpointException(folder.path() + ": its model_index.json names " + folder.pipeline() + "; known are "
                    + BY_PIPELINE.keySet());
        }
        if (folder.stages().size() > 1 && family != DEEP_FLOYD && family != KANDINSKY) {
            throw new CheckpointException(folder.path() + ": a " + folder.pipeline() + " draws alone and cannot be stage 1 of "
                    + folder.stages().size() + "; stages of IF or of Kandinsky are wanted");
        }
        return family;
    }
}
