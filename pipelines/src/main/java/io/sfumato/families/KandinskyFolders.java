package io.sfumato.families;

import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.models.unet.GlideUNetConfig.Added;
import io.sfumato.models.unet.GlideUNetConfig.Context;
import java.util.List;

/** The two folders of a {@link Kandinsky}, which were published apart, and what they say of its networks. */
record KandinskyFolders(ModelFolder prior, ModelFolder decoder) {
    private static final String PRIOR = "KandinskyV22PriorPipeline";

    /** @throws CheckpointException unless there is one of each */
    static KandinskyFolders of(ModelFolder model) {
        List<ModelFolder> priors = model.stages().stream().filter(each -> each.pipeline().equals(PRIOR)).toList();
        List<ModelFolder> decoders = model.stages().stream().filter(each -> each.pipeline().startsWith("KandinskyV22")
                && !each.pipeline().equals(PRIOR)).toList();
        if (priors.size() != 1 || decoders.size() != 1 || model.stages().size() != 2) {
            throw new CheckpointException(model.path() + ": Kandinsky 2.2 is two folders, a prior's and a decoder's, given one after the "
                    + "other or in one folder; here are " + model.stages().stream().map(ModelFolder::pipeline).toList());
        }
        return new KandinskyFolders(priors.get(0), decoders.get(0));
    }

    VqGan.Config movq() {
        return VqGan.Config.diffusers(decoder.config("movq"));
    }

    GlideUNetConfig unet() {
        GlideUNetConfig c = GlideUNetConfig.of(decoder.config("unet"));
        int latents = movq().embed();
        if (c.added() != Added.IMAGE || c.context() != Context.IMAGE) {
            throw decoder.config("unet").wrong("addition_embed_type", c.added().name().toLowerCase() + " with encoder_hid_dim_type "
                    + c.context().name().toLowerCase(), "image with image_proj, a decoder of image embeddings,");
        }
        if (c.inChannels() != latents && c.inChannels() != 2 * latents + 1 || c.outChannels() != latents && c.outChannels() != 2 * latents) {
            throw decoder.config("unet").wrong("in_channels", c.inChannels() + " with out_channels " + c.outChannels(), latents
                    + ", the latents of the movq, or " + (2 * latents + 1) + ", a mask and the latents of a picture besides, with "
                    + latents + " or " + 2 * latents);
        }
        return c;
    }

    /** Whether the U-Net sees a picture and where it is to be drawn anew. */
    boolean inpaints() {
        return unet().inChannels() > movq().embed();
    }

    /** Pixels of a side of the pictures that it was trained on. */
    int size() {
        return decoder.config("unet").integer("sample_size", 64) << (movq().widths().length - 1);
    }
}
