package io.sfumato.models.dallemini;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.tokenizer.Codebook;
import io.sfumato.models.tokenizer.Detokenizer;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.models.tokenizer.VqNames;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Conv2d;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.stream.IntStream;

/** The decoder of DALL-E mini's VQGAN alone, as min-dalle's {@code detoker.pt} has it: pictures come out in [0, 1]. */
public final class DalleDetokenizer implements Detokenizer {
    private final VqGan.Config config;
    private final Codebook codebook;
    private final Conv2d postQuantConv;
    private final VqGan.Decoder decoder;

    public DalleDetokenizer(Weights w, VqGan.Config config) {
        this.config = config;
        codebook = new Codebook(w.sub("embedding"), config.codes(), config.embed(), false);
        postQuantConv = new Conv2d(w.sub("post_quant_conv"), config.embed(), config.zChannels(), 1);
        decoder = new VqGan.Decoder(w.sub("decoder"), config);
    }

    /** Sizes from the tensors: the file has no config. Norms have 32 groups and an eps of 1e-5. */
    public static VqGan.Config config(TensorSource file) {
        int levels = count(file, "decoder.up.%d.block.0.conv1.weight"), layers = count(file, "decoder.up.0.block.%d.conv1.weight");
        int[] widths = IntStream.range(0, levels).map(i -> size(file, "decoder.up." + i + ".block.0.conv1.weight", 0)).toArray();
        boolean[] attends = new boolean[levels];
        IntStream.range(0, levels).forEach(i -> attends[i] = file.names().contains("decoder.up." + i + ".attn.0.q.weight"));
        int z = size(file, "post_quant_conv.weight", 0), codes = size(file, "embedding.weight", 0);
        return new VqGan.Config(VqNames.TAMING, VqGan.Quantizer.NEAREST, 3, z, size(file, "embedding.weight", 1), codes, widths,
                layers - 1, 32, 1e-5, Activation.SILU, attends, attends, true, false);
    }

    private static int count(TensorSource file, String pattern) {
        return (int) IntStream.iterate(0, i -> i + 1).takeWhile(i -> file.names().contains(pattern.formatted(i))).count();
    }

    private static int size(TensorSource file, String name, int dim) {
        if (!file.names().contains(name)) {
            throw new CheckpointException(file.description() + ": no detokenizer of DALL-E mini: there is no tensor " + name);
        }
        return Math.toIntExact(file.shape(name)[dim]);
    }

    @Override
    public int codes() {
        return config.codes();
    }

    @Override
    public int factor() {
        return 1 << (config.widths().length - 1);
    }

    @Override
    public Tensor decode(Tensor codes) {                                                    // (B, h, w)
        try (var scope = new Scope()) {
            Tensor latents = codebook.forward(codes).permute(0, 3, 1, 2);                   // (B, embed, h, w)
            return scope.keep(decoder.forward(postQuantConv.forward(latents), latents).clamp(0, 1));
        }
    }
}
