package io.sfumato.models.dallemini;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.TorchPickle;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.nn.KvCache;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DALL-E mini's encoder and decoder against min-dalle. */
class DalleBartTest {
    private static final Path FOLDER = Fixture.PIPELINES.resolve("mindalle/dalle_bart_mini");
    private static final Path GOLDEN = Fixture.PIPELINES.resolve("mindalle");
    private static final int PAD = 1;

    private static void with(Consumer<DalleBart> work) {
        try (TensorSource e = TorchPickle.open(FOLDER.resolve("encoder.pt"));
                TensorSource d = TorchPickle.open(FOLDER.resolve("decoder.pt"));
                Weights encoder = Weights.load(e, DType.F32, Device.CPU); Weights decoder = Weights.load(d, DType.F32, Device.CPU)) {
            work.accept(DalleBart.load(encoder, decoder, DalleBart.Config.of(e, d, 48, Fixture.json("{'encoder_attention_heads': 4}"))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"encoder", "encoder_long_text"})
    void statesEqualTheReferences(String name) {
        JsonNode c = Fixture.named(GOLDEN, name);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(GOLDEN.resolve("golden.safetensors"))) {
            with(bart -> {
                Tensor ids = Fixture.tensor(golden, c, "text_tokens");
                Fixture.assertClose("state", bart.encode(ids, DalleBart.mask(ids, PAD)), Fixture.tensor(golden, c, "encoder_state"), 1e-5);
            });
        }
    }

    @Test
    void logitsEqualTheReferencesAtOnceAndStepByStep() {
        JsonNode c = Fixture.named(GOLDEN, "decoder"), encoder = Fixture.named(GOLDEN, "encoder");
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(GOLDEN.resolve("golden.safetensors"))) {
            with(bart -> {
                Tensor ids = Fixture.tensor(golden, encoder, "text_tokens"), wanted = Fixture.tensor(golden, c, "logits");
                Tensor codes = Fixture.tensor(golden, c, "tokens").view(1, -1).expand(2, -1), mask = DalleBart.mask(ids, PAD);
                DalleBart.Memory memory = bart.memory(bart.encode(ids, mask), mask);
                Tensor start = Tensor.of(bart.config().start()).view(1, 1).expand(2, 1);
                Tensor read = Tensor.cat(1, start, codes).narrow(1, 0, codes.size(1));
                Fixture.assertClose("at once", bart.decode(read, 0, memory, i -> Past.NONE).narrow(2, 0, wanted.size(2)), wanted, 1e-5);
                Fixture.assertClose("cached", stepByStep(bart, read, memory).narrow(2, 0, wanted.size(2)), wanted, 1e-5);
                Fixture.assertNothingIsLeft(() -> stepByStep(bart, read, memory));
            });
        }
    }

    private static Tensor stepByStep(DalleBart bart, Tensor read, DalleBart.Memory memory) {
        DalleBart.Config c = bart.config();
        List<Tensor> logits = new ArrayList<>();
        try (KvCache cache = new KvCache(c.decoderLayers(), read.size(0), c.decoderHeads(), c.width() / c.decoderHeads(), c.length(),
                memory.mask())) {
            for (int i = 0; i < read.size(1); i++) {
                logits.add(bart.decode(read.narrow(1, i, 1), i, memory, cache::layer));
            }
            return Tensor.cat(1, logits.toArray(Tensor[]::new));
        }
    }

    @Test
    void picturesEqualTheReferencesAlsoOfJoinedGrids() {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(GOLDEN.resolve("golden.safetensors"));
                TensorSource file = TorchPickle.open(GOLDEN.resolve("vqgan/detoker.pt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            var config = DalleDetokenizer.config(file);
            DalleDetokenizer detokenizer = weights.build(w -> new DalleDetokenizer(w, config), name -> false);
            JsonNode one = Fixture.named(GOLDEN, "detokenizer"), seamless = Fixture.named(GOLDEN, "detokenizer_seamless");
            Tensor picture = detokenizer.decode(Fixture.tensor(golden, one, "tokens").view(1, 8, 8));
            Fixture.assertClose("one", picture.select(0, 0).permute(1, 2, 0),
                    Fixture.tensor(golden, one, "image").div(255), 1e-5);
            // Picture k stands in column k / 2 and row k % 2.
            Tensor grid = Fixture.tensor(golden, seamless, "tokens").view(2, 2, 8, 8).permute(1, 2, 0, 3).reshape(1, 16, 16);
            Fixture.assertClose("seamless", detokenizer.decode(grid).select(0, 0).permute(1, 2, 0),
                    Fixture.tensor(golden, seamless, "image").div(255), 1e-5);
        }
    }

    @Test
    void publishedSizes() {
        assertThat(millions(new DalleBart.Config(1024, 12, 12, 16, 16, 2730, 50264, 64, 16384, 16385, 16))).containsExactly(2026, 2353);
        assertThat(millions(new DalleBart.Config(2048, 24, 24, 32, 32, 4096, 50272, 64, 16384, 16416, 16))).containsExactly(11102, 14777);
    }

    // Of encoder and decoder, in tenths.
    private static long[] millions(DalleBart.Config config) {
        try (Weights encoder = Weights.load(Fixture.empty(), DType.F32, Device.CPU);
                Weights decoder = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new DalleBart(encoder, decoder, config);
            return new long[] {Math.round(encoder.count() / 1e5), Math.round(decoder.count() / 1e5)};
        }
    }

    @Test
    void filesThatDoNotFitAreNamed() {
        try (TensorSource e = TorchPickle.open(FOLDER.resolve("encoder.pt"));
                TensorSource d = TorchPickle.open(FOLDER.resolve("decoder.pt"))) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> DalleBart.Config.of(e, d, 48, Fixture.json("{}")))
                    .withMessageEndingWith("encoder.pt: the number of heads does not stand in the file: a config.json with"
                            + " encoder_attention_heads and decoder_attention_heads is wanted beside it");
            var heads = Fixture.json("{'encoder_attention_heads': 4}");
            assertThatIllegalArgumentException().isThrownBy(() -> DalleBart.Config.of(e, d, 50, heads))
                    .withMessage("the decoder's table has 49 rows, where 50 codes are drawn");
            var odd = Fixture.json("{'encoder_attention_heads': 4, 'decoder_attention_heads': 5}");
            assertThatIllegalArgumentException().isThrownBy(() -> DalleBart.Config.of(e, d, 48, odd))
                    .withMessage("width 24 must be a multiple of the encoder's 4 heads and of the decoder's 5; layers 2 and 2 at least 1");
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> DalleBart.Config.of(Fixture.empty(), d, 48, heads))
                    .withMessage("an empty checkpoint: no encoder or decoder of DALL-E mini: there is no matrix embed_tokens.weight");
        }
    }
}
