package io.sfumato.families;

import io.sfumato.Options;
import io.sfumato.Trace;
import io.sfumato.diffusion.Grid;
import io.sfumato.diffusion.Samplers;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/** A model's own scheduler, or what the options put in its place. */
final class Scheduling {
    private Scheduling() {
    }

    /** @throws IllegalArgumentException for options that the sampler cannot follow */
    static Sampling of(SchedulerConfig own, Options o) {
        return Sampling.of(chosen(own, o), o.steps(), o.eta());
    }

    static SchedulerConfig chosen(SchedulerConfig own, Options o) {
        SchedulerConfig config = o.sampler().equals(Options.MODELS_OWN) || o.sampler().equals(own.className())
                ? own : Samplers.choose(own, o.sampler());
        return o.schedule().equals(Options.MODELS_OWN) ? config : Samplers.schedule(config, o.schedule());
    }

    /** The timesteps of the calls that are made, and their sigmas where there are any. */
    static void record(Grid grid, Trace trace) {
        double[] timesteps = Arrays.copyOfRange(grid.timesteps(), grid.start(), grid.calls());
        trace.put("timesteps", Tensor.of(timesteps, timesteps.length));
        if (grid.sigmas().length > 0) {
            double[] sigmas = Arrays.copyOfRange(grid.sigmas(), grid.start(), grid.sigmas().length);
            trace.put("sigmas", Tensor.of(sigmas, sigmas.length));
        }
    }
}
