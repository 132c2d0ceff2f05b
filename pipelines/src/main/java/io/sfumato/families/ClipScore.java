package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.hub.ClipFiles;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.Clip;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.clip.ClipVision;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.List;

/**
 * How well a picture shows what a text tells, in the eyes of a CLIP: CLIPScore (Hessel et al. 2021, 3). Any CLIP of both towers will do:
 * see {@link ClipFiles}.
 */
public final class ClipScore implements AutoCloseable {
    private static final double WEIGHT = 2.5;

    private final LoadOptions load;
    private final Weights weights;
    private final Clip clip;
    private final ClipTokenizer tokenizer;
    private final ClipPixels pixels;

    private ClipScore(ClipFiles files, LoadOptions load) {
        this.load = load;
        Clip.Config config = Clip.Config.of(files.config());
        tokenizer = files.tokenizer();
        pixels = ClipPixels.of(files.pixels());
        if (tokenizer.vocabSize() > config.text().vocabulary()) {
            throw new CheckpointException(files.config().source() + ": its tokenizer has " + tokenizer.vocabSize()
                    + " tokens and its text tower knows " + config.text().vocabulary());
        }
        if (pixels.width() != config.vision().size() || pixels.height() != config.vision().size()) {
            throw new CheckpointException(files.pixels().source() + ": pictures are cut to " + pixels.width() + "x" + pixels.height()
                    + ", where the image tower sees " + config.vision().size() + "x" + config.vision().size());
        }
        try (TensorSource source = files.weights().get()) {
            weights = Weights.load(source, load.dtype(), load.device());
            clip = weights.build(w -> new Clip(w, config),
                    name -> name.endsWith(ClipText.POSITION_IDS) || name.endsWith(ClipVision.POSITION_IDS));
        }
    }

    /** Opens a folder of transformers or open_clip, or OpenAI's file. */
    public static ClipScore load(Path model) {
        return load(model, LoadOptions.defaults());
    }

    /** @throws CheckpointException for what is no CLIP, naming what is missing or wrong */
    public static ClipScore load(Path model, LoadOptions load) {
        return new ClipScore(ClipFiles.open(model), load);
    }

    /** 2.5 times the cosine between picture and text, or 0 where that is less: 0 to 2.5. */
    public double score(Image picture, String text) {
        return WEIGHT * Math.max(0, cosines(List.of(picture), List.of(text))[0][0]);
    }

    /** The cosine between each of the pictures and each of the texts, whose ends are cut off where they are too long. */
    public double[][] cosines(List<Image> pictures, List<String> texts) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor seen = Tensor.cat(0, pictures.stream().map(this::direction).toArray(Tensor[]::new));        // (N, E)
            Tensor read = Tensor.cat(0, texts.stream().map(this::direction).toArray(Tensor[]::new));           // (M, E)
            double[] all = seen.matmul(read.transpose(0, 1)).to(Device.CPU).to(DType.F64).toDoubles();
            double[][] rows = new double[pictures.size()][texts.size()];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(all, i * texts.size(), rows[i], 0, texts.size());
            }
            return rows;
        }
    }

    private Tensor direction(Image picture) {
        return clip.pictures(pixels.of(picture).to(load.dtype()).to(load.device()));
    }

    private Tensor direction(String text) {
        int[] ids = tokenizer.encode(text).ids();
        return clip.texts(Tensor.of(ids).view(1, ids.length).to(load.device()));
    }

    @Override
    public void close() {
        weights.close();
    }
}
