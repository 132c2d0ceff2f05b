package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** What a network was trained to answer, and how that gives x0 and epsilon for x = alpha x0 + sigma epsilon. */
public enum Prediction {
    /** The noise (Ho et al. 2020). */
    EPSILON {
        @Override
        public Tensor x0(Tensor x, Tensor out, NoiseLevel at) {
            return x.sub(out.mul(at.sigma())).div(at.alpha());
        }

        @Override
        public Tensor epsilon(Tensor x, Tensor out, NoiseLevel at) {
            return out;
        }
    },
    /** v = alpha epsilon - sigma x0 (Salimans and Ho 2022, appendix D). */
    V_PREDICTION {
        @Override
        public Tensor x0(Tensor x, Tensor out, NoiseLevel at) {
            return x.mul(at.alpha()).sub(out.mul(at.sigma()));
        }

        @Override
        public Tensor epsilon(Tensor x, Tensor out, NoiseLevel at) {
            return out.mul(at.alpha()).add(x.mul(at.sigma()));
        }
    },
    /** The picture itself. */
    SAMPLE {
        @Override
        public Tensor x0(Tensor x, Tensor out, NoiseLevel at) {
            return out;
        }

        @Override
        public Tensor epsilon(Tensor x, Tensor out, NoiseLevel at) {
            return x.sub(out.mul(at.alpha())).div(at.sigma());
        }
    },
    /** F of Karras et al. 2022, formula 7: v with the other sign. */
    EDM {
        @Override
        public Tensor x0(Tensor x, Tensor out, NoiseLevel at) {
            return x.mul(at.alpha()).add(out.mul(at.sigma()));
        }

        @Override
        public Tensor epsilon(Tensor x, Tensor out, NoiseLevel at) {
            return x.mul(at.sigma()).sub(out.mul(at.alpha()));
        }
    },
    /** The velocity epsilon - x0 of x = (1 - sigma) x0 + sigma epsilon (Liu et al. 2022). */
    FLOW {
        @Override
        public Tensor x0(Tensor x, Tensor out, NoiseLevel at) {
            return x.sub(out.mul(at.sigma()));
        }

        @Override
        public Tensor epsilon(Tensor x, Tensor out, NoiseLevel at) {
            return x.add(out.mul(at.alpha()));
        }
    };

    public abstract Tensor x0(Tensor x, Tensor out, NoiseLevel at);

    public abstract Tensor epsilon(Tensor x, Tensor out, NoiseLevel at);
}
