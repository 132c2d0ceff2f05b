package io.sfumato.diffusion;

/**
 * How many steps, and where, as diffusers' {@code set_timesteps} takes it: {@code count} of them laid out by the scheduler, or
 * {@code timesteps} or {@code sigmas} of one's own. {@code mu} moves the steps of schedulers with dynamic shifting, and
 * {@code strength} in (0, 1] thins those of distilled models out.
 */
public record Steps(int count, double[] timesteps, double[] sigmas, double mu, double strength) {
    static final double NO_MU = Double.NaN;

    /** What a scheduler may be given. */
    enum Kind { COUNT, TIMESTEPS, SIGMAS }

    public Steps {
        timesteps = timesteps.clone();
        sigmas = sigmas.clone();
        if (timesteps.length > 0 && sigmas.length > 0) {
            throw new IllegalArgumentException("timesteps and sigmas are both given: one of them is wanted");
        }
        if (count < 1) {
            throw new IllegalArgumentException(count + " steps: 1 or more are wanted");
        }
        if (!(strength > 0 && strength <= 1)) {
            throw new IllegalArgumentException("strength is " + strength + ": above 0 and up to 1 is wanted");
        }
        for (double sigma : sigmas) {
            if (!(sigma >= 0)) {
                throw new IllegalArgumentException("sigma " + sigma + ": 0 or more is wanted");
            }
        }
        for (int i = 0; i < timesteps.length; i++) {
            if (!(timesteps[i] >= 0 && (i == 0 || timesteps[i] < timesteps[i - 1]))) {
                throw new IllegalArgumentException("timestep " + timesteps[i] + ": falling ones down to 0 are wanted");
            }
        }
    }

    public static Steps of(int count) {
        return new Steps(count, new double[0], new double[0], NO_MU, 1);
    }

    /** Network calls at these timesteps of the training, falling. */
    public static Steps atTimesteps(double... timesteps) {
        return new Steps(timesteps.length, timesteps, new double[0], NO_MU, 1);
    }

    /** As the scheduler's class takes them: EulerDiscreteScheduler with the last one, which is mostly 0, the flow kinds without. */
    public static Steps atSigmas(double... sigmas) {
        return new Steps(sigmas.length, new double[0], sigmas, NO_MU, 1);
    }

    public Steps withMu(double mu) {
        return new Steps(count, timesteps, sigmas, mu, strength);
    }

    public Steps withStrength(double strength) {
        return new Steps(count, timesteps, sigmas, mu, strength);
    }

    Kind kind() {
        return timesteps.length > 0 ? Kind.TIMESTEPS : sigmas.length > 0 ? Kind.SIGMAS : Kind.COUNT;
    }

    @Override
    public double[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public double[] sigmas() {
        return sigmas.clone();
    }
}
