package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.nn.Conv2d;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsTest {
    @TempDir
    Path folder;

    private Path file;

    /** A network of two layers. */
    private record Network(Conv2d conv, Linear out) {
        Network(Weights w) {
            this(new Conv2d(w.sub("conv"), 3, 4, 3), new Linear(w.sub("head").sub("out"), 4, 2));
        }
    }

    @BeforeEach
    void writeAnInitialisedNetwork() {
        file = folder.resolve("network.safetensors");
        try (var rng = new Rng(1); var weights = Weights.init(rng, Device.CPU)) {
            weights.build(Network::new, name -> false);
            SafeTensors.write(file, weights.parameters(), Map.of());
        }
    }

    @Test
    void savedAndLoadedAreTheSame() {
        try (var rng = new Rng(1); var fresh = Weights.init(rng, Device.CPU);
                var source = SafeTensors.open(file); var loaded = Weights.load(source, DType.F32, Device.CPU)) {
            fresh.build(Network::new, name -> false);
            loaded.build(Network::new, name -> false);
            assertThat(loaded.parameters()).containsOnlyKeys("conv.weight", "conv.bias", "head.out.weight", "head.out.bias");
            assertThat(loaded.count()).isEqualTo(4 * 27 + 4 + 8 + 2);
            loaded.parameters().forEach((name, x) -> assertThat(x.toFloats()).as(name).isEqualTo(fresh.parameters().get(name).toFloats()));
            assertThat(fresh.parameters().values()).allMatch(Tensor::requiresGrad);
            assertThat(loaded.parameters().values()).noneMatch(Tensor::requiresGrad);
        }
    }

    @Test
    void otherSeedsAreOtherNetworks() {
        try (var rng = new Rng(2); var fresh = Weights.init(rng, Device.CPU); var source = SafeTensors.open(file)) {
            fresh.build(Network::new, name -> false);
            assertThat(fresh.parameters().get("conv.weight").toFloats()).isNotEqualTo(source.get("conv.weight").toFloats());
        }
    }

    @Test
    void everythingThatDoesNotFitIsInOneLine() {
        try (var scope = new Scope()) {
            SafeTensors.write(file, Map.of("conv.weight", Tensor.zeros(4, 3, 5, 5), "conv.bias", Tensor.zeros(4), "head.out.bias", Tensor.zeros(2),
                    "model_ema.decay", Tensor.zeros(1), "stray\nname", Tensor.zeros(1)), Map.of());
        }
        long live = Scope.live();
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.F32, Device.CPU)) {
            assertThatThrownBy(() -> weights.build(Network::new, name -> name.startsWith("model_ema.")))
                    .isInstanceOf(CheckpointException.class).hasMessage(file + ": 3 tensors do not fit the config: "
                            + "wrong shape conv.weight: [4, 3, 5, 5] where [4, 3, 3, 3] is wanted; missing head.out.weight [2, 4]; unexpected stray?name");
            assertThat(weights.parameters()).isEmpty();
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }

    @Test
    void aReportOfAHugeNetworkTakesNoMemory() {
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.F32, Device.CPU)) {
            assertThatThrownBy(() -> weights.build(w -> new Conv2d(w.sub("big"), 1 << 20, 1 << 20, 3), name -> true))
                    .hasMessage(file + ": 2 tensors do not fit the config: missing big.weight [1048576, 1048576, 3, 3]; missing big.bias [1048576]");
        }
    }

    @Test
    void aNetworkThatRefusesItsConfigLeavesNothingBehind() {
        try (var source = SafeTensors.open(file)) {
            long live = Scope.live();
            Weights weights = Weights.load(source, DType.BF16, Device.CPU);
            assertThatIllegalArgumentException().isThrownBy(() -> weights.build(w -> {
                new Network(w);
                throw new IllegalArgumentException("no");
            }, name -> false)).withMessage("no");
            assertThat(Scope.live()).isLessThanOrEqualTo(live);
        }
    }

    @Test
    void typesAndLayoutsAreConverted() {
        try (var scope = new Scope()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("w", Tensor.arange(24).to(DType.F16).view(2, 3, 2, 2));
            tensors.put("ids", Tensor.arange(4));
            SafeTensors.write(file, tensors, Map.of());
            try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.BF16, Device.CPU)) {
                Tensor w = weights.getChannelsLast("w", Weights.Init.ZEROS, 2, 3, 2, 2);
                assertThat(w.dtype()).isEqualTo(DType.BF16);
                assertThat(w.permute(0, 2, 3, 1).view(24).toFloats()).startsWith(0, 4, 8, 1, 5, 9);    // a view only of channels last
                assertThat(weights.get("ids", 4).dtype()).isEqualTo(DType.I64);
                assertThat(weights.getChannelsLast("w", Weights.Init.ZEROS, 2, 3, 2, 2)).isSameAs(w);
                assertThatIllegalArgumentException().isThrownBy(() -> weights.get("w", 24))
                        .withMessage("w was handed out as [2, 3, 2, 2], it cannot also be [24]");
            }
        }
    }

    @Test
    void matricesServeAsOneByOneConvolutions() {
        try (var scope = new Scope()) {
            SafeTensors.write(file, Map.of("a", Tensor.ones(2, 3), "b", Tensor.ones(2, 3, 1, 1), "c", Tensor.ones(2, 3, 1, 2)), Map.of());
        }
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.F32, Device.CPU)) {
            assertThat(weights.get("a", 2, 3, 1, 1).shape()).containsExactly(2, 3, 1, 1);
            assertThat(weights.get("b", 2, 3).shape()).containsExactly(2, 3);
            assertThatThrownBy(() -> weights.build(w -> w.get("c", 2, 3), name -> false)).hasMessageContaining("wrong shape c: [2, 3, 1, 2]");
        }
    }

    @Test
    void olderNamesAreFoundUnderNewerOnes() {
        try (var scope = new Scope()) {
            SafeTensors.write(file, Map.of("attn.query.weight", Tensor.ones(2), "mid.to_k.weight", Tensor.full(3, 2)), Map.of());
        }
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.F32, Device.CPU)) {
            assertThat(weights.sub("attn").sub("to_q", "q", "query").get("weight", 2).toFloats()).containsExactly(1, 1);
            assertThat(weights.sub("mid").sub("to_k", "key").get("weight", 2).toFloats()).containsExactly(3, 3);
            assertThat(weights.has("attn.query")).isTrue();
            assertThat(weights.has("attn.que")).isFalse();
            assertThatThrownBy(() -> weights.build(w -> w.sub("attn").sub("to_v", "value").get("weight", 2), name -> true))
                    .hasMessage(file + ": 1 tensor does not fit the config: missing attn.to_v.weight [2]");
        }
        try (var rng = new Rng(0); var fresh = Weights.init(rng, Device.CPU)) {
            fresh.sub("to_q", "query").get("weight", 2);
            assertThat(fresh.parameters()).containsOnlyKeys("to_q.weight");
        }
    }

    @Test
    void anAbsurdConfigEndsSoon() {
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, DType.F32, Device.CPU)) {
            assertThatThrownBy(() -> weights.get("x", 1L << 31, 1L << 31)).isInstanceOf(CheckpointException.class)
                    .hasMessage(file + ": its config asks for an absurd network: x [2147483648, 2147483648]");
            assertThatThrownBy(() -> {
                for (int i = 0; i < Integer.MAX_VALUE; i++) {
                    weights.get("y" + i, 2);
                }
            }).hasMessageEndingWith(" [2] after 10000 tensors that do not fit");
        }
    }

    @Test
    void closingGivesEverythingBack() {
        long live = Scope.live();
        for (int i = 0; i < 50; i++) {
            try (var rng = new Rng(i); var fresh = Weights.init(rng, Device.CPU);
                    var source = SafeTensors.open(file); var loaded = Weights.load(source, DType.BF16, Device.CPU)) {
                fresh.build(Network::new, name -> false);
                loaded.build(Network::new, name -> false);
            }
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }

    @Test
    void loadingCopiesNothingAndConvertingHoldsOneCopy() throws IOException {
        int tensors = 20;
        long elements = 5 << 19;    // 20 of 10 MiB
        Map<String, Tensor> big = new LinkedHashMap<>();
        try (var scope = new Scope()) {
            Tensor x = Tensor.ones(elements);
            for (int i = 0; i < tensors; i++) {
                big.put("x" + i, x);
            }
            SafeTensors.write(file, big, Map.of());
        }
        assertThat(growthOfLoading(DType.F32, tensors, elements)).isLessThan(20 << 20);
        assertThat(growthOfLoading(DType.BF16, tensors, elements)).isLessThan(130 << 20);    // the copy has 100 MiB
    }

    // Bytes by which anonymous memory (not pages of files) grows while the weights are loaded and every element is read.
    private long growthOfLoading(DType type, int tensors, long elements) throws IOException {
        try (var source = SafeTensors.open(file); var weights = Weights.load(source, type, Device.CPU)) {
            long before = anonymousBytes();
            for (int i = 0; i < tensors; i++) {
                try (var scope = new Scope()) {
                    assertThat(weights.get("x" + i, elements).amax(false, 0).item()).isEqualTo(1);
                }
            }
            return anonymousBytes() - before;
        }
    }

    private static long anonymousBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;    // only Linux tells
        }
        String line = Files.readAllLines(status).stream().filter(l -> l.startsWith("RssAnon:")).findFirst().orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }
}
