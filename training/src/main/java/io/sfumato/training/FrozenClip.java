package io.sfumato.training;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.clip.ClipVision;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.List;
import java.util.stream.IntStream;

/** Both towers of the CLIP in an {@link UnclipFolder}, which only look. */
final class FrozenClip implements AutoCloseable {
    /** Text embeddings (B, E), states (B, L, D), and 1 where these are text (B, L). */
    record Read(Tensor embeddings, Tensor states, Tensor mask) {
        Read part(int from, int count) {
            return new Read(embeddings.narrow(0, from, count), states.narrow(0, from, count), mask.narrow(0, from, count));
        }
    }

    private final Weights textWeights;
    private final Weights visionWeights;
    private final ClipTokenizer tokenizer;
    private final ClipText text;
    private final ClipVision vision;
    private final float[] mean;
    private final float[] deviation;

    FrozenClip(UnclipFolder folder) {
        tokenizer = ClipTokenizer.load(folder.path().resolve("tokenizer"));
        ConfigJson pixels = ConfigJson.read(folder.path().resolve("feature_extractor/preprocessor_config.json"));
        mean = three(pixels, "image_mean");
        deviation = three(pixels, "image_std");
        try (SafeTensors words = SafeTensors.open(folder.weights("text_encoder"));
                SafeTensors pictures = SafeTensors.open(folder.weights("image_encoder"))) {
            textWeights = Weights.load(words, DType.F32, Device.CPU);
            text = textWeights.build(w -> new ClipText(w, ClipText.Config.of(folder.config("text_encoder"))),
                    name -> name.endsWith(ClipText.POSITION_IDS));
            visionWeights = Weights.load(pictures, DType.F32, Device.CPU);
            vision = visionWeights.build(w -> new ClipVision(w, ClipVision.Config.of(folder.config("image_encoder"))),
                    name -> name.endsWith(ClipVision.POSITION_IDS));
        }
    }

    private static float[] three(ConfigJson json, String key) {
        return new float[] {json.json().get(key).get(0).floatValue(), json.json().get(key).get(1).floatValue(),
            json.json().get(key).get(2).floatValue()};
    }

    /** The captions of examples, the empty one where {@code dropped} (B) is not 0. */
    Read read(List<Example> examples, Tensor dropped) {
        double[] gone = dropped.toDoubles();
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            List<ClipTokenizer.Encoded> encoded = IntStream.range(0, examples.size())
                    .mapToObj(i -> tokenizer.encode(gone[i] != 0 ? "" : examples.get(i).caption())).toList();
            Tensor ids = Tensor.stack(0, encoded.stream().map(e -> Tensor.of(e.ids())).toArray(Tensor[]::new));     // (B, L)
            Tensor mask = Tensor.stack(0, encoded.stream()
                    .map(e -> Tensor.arange(tokenizer.maxLength()).lt(e.count()).to(DType.F32)).toArray(Tensor[]::new));
            Tensor states = text.forward(ids, 0);                                                                   // (B, L, D)
            return new Read(scope.keep(text.project(text.pool(states, ids))), scope.keep(states), scope.keep(mask));
        }
    }

    /** Image embeddings (B, E) of pictures (B, 3, S, S) in [-1, 1]. */
    Tensor see(Tensor pictures) {
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            Tensor x = pictures.mul(0.5).add(0.5).sub(Tensor.of(mean, 1, 3, 1, 1)).div(Tensor.of(deviation, 1, 3, 1, 1));
            return scope.keep(vision.embed(x));
        }
    }

    @Override
    public void close() {
        textWeights.close();
        visionWeights.close();
    }
}
