package io.sfumato.models.tokenizer;

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
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** DALL-E's tokenizer against OpenAI's package. */
class DVaeTest {
    private static final Path DVAE = Path.of("src/test/resources/golden/dvae");

    static Stream<Arguments> cases() {
        return Fixture.cases(DVAE).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsOpenAis(String name, JsonNode c) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(DVAE.resolve("golden.safetensors"))) {
            with(dvae -> {
                Tensor pictures = Fixture.tensor(golden, c, "input_uint8").permute(0, 3, 1, 2).to(DType.F32).div(255);
                Fixture.assertClose("logits", dvae.logits(pictures), Fixture.tensor(golden, c, "logits"), 1e-5);
                assertThat(dvae.encode(pictures).toLongs()).isEqualTo(Fixture.tensor(golden, c, "codes").toLongs());
                Tensor codes = Fixture.tensor(golden, c, c.get("tensors").has("codes_given") ? "codes_given" : "codes");
                Fixture.assertClose("stats", dvae.stats(codes), Fixture.tensor(golden, c, "stats"), 2e-5);
                Fixture.assertClose("reconstruction", dvae.decode(codes), Fixture.tensor(golden, c, "reconstruction"), 2e-5);
                Fixture.assertClose("relaxed", dvae.relaxed(oneHot(codes, dvae.codes())), dvae.stats(codes), 1e-6);
            });
        }
    }

    private static Tensor oneHot(Tensor codes, int n) {
        Tensor all = Tensor.arange(n).view(1, n, 1, 1);
        return all.eq(codes.unsqueeze(1)).to(DType.F32);
    }

    private static void with(Consumer<DVae> work) {
        try (TensorSource e = TorchPickle.open(DVAE.resolve("encoder.pkl")); TensorSource d = TorchPickle.open(DVAE.resolve("decoder.pkl"));
                Weights encoder = Weights.load(e, DType.F32, Device.CPU); Weights decoder = Weights.load(d, DType.F32, Device.CPU)) {
            work.accept(DVae.load(encoder, decoder, DVae.Config.of(e, d)));
        }
    }


    @Test
    void pickledModulesHoldTheStateDictsTensors() {
        for (String side : List.of("encoder", "decoder")) {
            try (var scope = new Scope(); TensorSource whole = TorchPickle.open(DVAE.resolve(side + ".pkl"));
                    TensorSource dict = SafeTensors.open(DVAE.resolve(side + ".safetensors"))) {
                assertThat(whole.names()).isEqualTo(dict.names());
                assertThat(dict.names()).allMatch(name -> whole.get(name).equal(dict.get(name)));
            }
        }
    }

    @Test
    void publishedSizes() {
        try (Weights encoder = Weights.load(Fixture.empty(), DType.F32, Device.CPU);
                Weights decoder = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            DVae dvae = new DVae(encoder, decoder, DVae.Config.released());
            assertThat(encoder.count()).isEqualTo(53_786_240);
            assertThat(decoder.count()).isEqualTo(43_829_766);
            assertThat(dvae.factor()).isEqualTo(8);
        }
    }

    @Test
    void gradientsReachAllParametersOfAFreshOne() {
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU)) {
            DVae dvae = new DVae(fresh.sub("encoder"), fresh.sub("decoder"), new DVae.Config(8, 6, 2, 1, 10));
            Tensor logits = dvae.logits(rng.rand(2, 3, 8, 8));
            Fixture.assertGradientsReachAll(fresh.parameters(), dvae.relaxed(logits.softmax(1)));
        }
    }

    @Test
    void nothingIsLeftAfterForward() {
        with(dvae -> {
            try (var scope = new Scope(); var rng = new Rng(1)) {
                Tensor x = rng.rand(1, 3, 16, 24);
                Fixture.assertNothingIsLeft(() -> dvae.decode(dvae.encode(x)));
            }
        });
    }

    @Test
    void filesThatDoNotFitAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new DVae.Config(6, 8, 4, 2, 40))
                .withMessage("hidden 6 must be a multiple of 4; init 8, groups 4, blocks 2 and codes 40 at least 1");
        try (TensorSource e = SafeTensors.open(DVAE.resolve("encoder.safetensors"));
                Weights encoder = Weights.load(e, DType.F32, Device.CPU); Weights decoder = Weights.load(e, DType.F32, Device.CPU)) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> DVae.Config.of(e, Fixture.empty()))
                    .withMessage("an empty checkpoint: no encoder or decoder of DALL-E: there is no convolution blocks.input.w");
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> DVae.Config.of(e, e))
                    .withMessageEndingWith("encoder.safetensors: draws from 3 codes, but " + e.description() + " writes 40");
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> DVae.load(encoder, decoder, new DVae.Config(8, 8, 4, 3, 40)))
                    .withMessageContaining("encoder.safetensors: ").withMessageContaining("missing blocks.group_1.block_3.");
        }
    }
}
