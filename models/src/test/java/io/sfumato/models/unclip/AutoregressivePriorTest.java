package io.sfumato.models.unclip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.Golden;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The autoregressive prior against the same written in PyTorch. */
class AutoregressivePriorTest {
    private static final Path GOLDEN = Golden.file("autoregressive-prior/golden.safetensors");
    private static final AutoregressivePrior.Config CONFIG = new AutoregressivePrior.Config(10, 5, 4, 6, 3, 2, 6, 2);

    @Test
    void equalsPyTorch() {
        try (SafeTensors file = SafeTensors.open(GOLDEN.resolveSibling("weights.safetensors"));
                SafeTensors golden = SafeTensors.open(GOLDEN);
                Weights weights = Weights.load(file, DType.F32, Device.CPU); Scope scope = new Scope()) {
            AutoregressivePrior prior = weights.build(w -> new AutoregressivePrior(w, CONFIG), name -> false);
            Tensor codes = golden.get("codes"), agree = golden.get("agree"), embedding = golden.get("embedding");
            assertThat(prior.codes(golden.get("images")).toLongs()).isEqualTo(codes.toLongs());
            assertThat(prior.agreements(golden.get("images"), embedding).toLongs()).isEqualTo(agree.toLongs());
            Fixture.assertClose("embeddings", prior.embeddings(codes), golden.get("middle"), 1e-5);
            Tensor before = codes.narrow(1, 0, 3), states = golden.get("states"), mask = golden.get("mask");
            Tensor logits = prior.forward(before, embedding, states, mask, agree);
            Fixture.assertClose("logits", logits, golden.get("logits"), 1e-5);
            Tensor first = prior.forward(codes.narrow(1, 0, 1), embedding, states, mask, agree);
            Fixture.assertClose("the first two do not see those behind", first, logits.narrow(1, 0, 2), 1e-5);
            Fixture.assertNothingIsLeft(() -> prior.forward(before, embedding, states, mask, agree));
            assertThatIllegalArgumentException().isThrownBy(() -> prior.forward(codes, embedding, states, mask, agree))
                    .withMessage("5 tokens of text and 4 codes, where 5 and 0 to 3 are wanted");
        }
    }

    @Test
    void whatIsRememberedIsWhatIsReadAgain() {
        try (SafeTensors file = SafeTensors.open(GOLDEN.resolveSibling("weights.safetensors"));
                SafeTensors golden = SafeTensors.open(GOLDEN); Weights weights = Weights.load(file, DType.F32, Device.CPU);
                Rng once = new Rng(5); Rng again = new Rng(5); Scope scope = new Scope()) {
            AutoregressivePrior prior = weights.build(w -> new AutoregressivePrior(w, CONFIG), name -> false);
            Tensor agree = golden.get("agree"), embedding = golden.get("embedding");
            Tensor states = golden.get("states"), mask = golden.get("mask");
            Tensor remembered = agree.unsqueeze(1).narrow(1, 0, 0), read = remembered;                      // (B, 0)
            try (KvCache cache = prior.cache(agree.size(0), states)) {
                for (int i = 0; i < CONFIG.components(); i++) {
                    Tensor cached = i == 0 ? prior.first(embedding, states, mask, agree, cache::layer)
                            : prior.next(remembered.select(1, i - 1), mask, cache::layer);
                    Tensor whole = prior.forward(read, embedding, states, mask, agree).select(1, i);
                    Fixture.assertClose("logits of code " + i, cached, whole, 1e-5);
                    remembered = Tensor.cat(1, remembered, once.multinomial(cached.softmax(-1), 1, false));
                    read = Tensor.cat(1, read, again.multinomial(whole.softmax(-1), 1, false));
                }
            }
            assertThat(remembered.toLongs()).isEqualTo(read.toLongs());
        }
    }

    @Test
    void wrongSizesAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new AutoregressivePrior.Config(10, 5, 11, 6, 3, 2, 6, 2))
                .withMessage("num_components must be 1 to embedding_dim 10, not 11");
        assertThatIllegalArgumentException().isThrownBy(() -> new AutoregressivePrior.Config(10, 5, 4, 1, 3, 2, 6, 2))
                .withMessage("embedding_dim 10, num_embeddings 5, num_attention_heads 2, attention_head_dim 6 and num_layers 2 must be at "
                        + "least 1, num_buckets 1 and num_agreements 3 at least 2");
    }
}
