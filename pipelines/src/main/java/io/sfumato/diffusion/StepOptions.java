package io.sfumato.diffusion;

import java.util.EnumSet;
import java.util.Set;

/**
 * What diffusers' {@code step} takes beside the network's answer: {@code eta}, the noise that DDIM and TCD add; whether DDIM's noise is
 * found anew from the clipped picture; the {@code churn} of Euler steps; the {@code order} of LMS.
 */
public record StepOptions(double eta, boolean clippedOutput, Churn churn, int order) {
    private static final int ORDER = 4;

    /** One that a sampler may know. */
    enum Kind {
        ETA, CLIPPED_OUTPUT, CHURN, ORDER;

        @Override
        public String toString() {
            return switch (this) {
                case ETA -> "eta";
                case CLIPPED_OUTPUT -> "use_clipped_model_output";
                case CHURN -> "s_churn";
                case ORDER -> "order";
            };
        }
    }

    public StepOptions {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta is " + eta + ": between 0 and 1 is wanted");
        }
        if (order < 1) {
            throw new IllegalArgumentException("order is " + order + ": 1 or more is wanted");
        }
    }

    public static StepOptions defaults() {
        return new StepOptions(0, false, Churn.none(), ORDER);
    }

    public StepOptions withEta(double eta) {
        return new StepOptions(eta, clippedOutput, churn, order);
    }

    public StepOptions withClippedOutput(boolean clippedOutput) {
        return new StepOptions(eta, clippedOutput, churn, order);
    }

    public StepOptions withChurn(Churn churn) {
        return new StepOptions(eta, clippedOutput, churn, order);
    }

    public StepOptions withOrder(int order) {
        return new StepOptions(eta, clippedOutput, churn, order);
    }

    /** Those that are not at their defaults. */
    Set<Kind> given() {
        Set<Kind> given = EnumSet.noneOf(Kind.class);
        if (eta != 0) {
            given.add(Kind.ETA);
        }
        if (clippedOutput) {
            given.add(Kind.CLIPPED_OUTPUT);
        }
        if (!churn.equals(Churn.none())) {
            given.add(Kind.CHURN);
        }
        if (order != ORDER) {
            given.add(Kind.ORDER);
        }
        return given;
    }
}
