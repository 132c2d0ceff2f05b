package io.sfumato.nn;

import io.sfumato.tensor.Tensor;

/** Keys and values that one layer of a decoder has seen before. */
public interface Past {
    /** Nothing was seen before, and nothing is to be kept: for training. */
    Past NONE = new Past() {
        @Override
        public int length() {
            return 0;
        }

        @Override
        public Tensor[] append(Tensor keys, Tensor values) {
            return new Tensor[] {keys, values};
        }
    };

    /** Tokens seen. */
    int length();

    /** Adds those of new tokens (B, heads, n, d), and returns keys and values of all tokens so far. */
    Tensor[] append(Tensor keys, Tensor values);
}
