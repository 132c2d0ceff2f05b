package io.sfumato.autoregressive;

import io.sfumato.tensor.Tensor;

/** The two ways in which public code cuts the tail off a distribution (Holtzman et al. 2020): they differ on the boundary. */
public enum Nucleus {
    /** A token stays while those before it have a share of at most p: LlamaGen. */
    AT_MOST {
        @Override
        Tensor gone(Tensor before, double p) {
            return before.neg().lt(-p);
        }
    },
    /** A token stays while those before it have a share below p: minDALL-E. */
    BELOW {
        @Override
        Tensor gone(Tensor before, double p) {
            return before.lt(p).eq(0);
        }
    };

    /** Whether each token, in the order of probability, is dropped; {@code before} is the sum of those before it. */
    abstract Tensor gone(Tensor before, double p);
}
