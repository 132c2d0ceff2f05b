package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Known answers: for data N(0, s^2) the exact network is known, and the ODE takes x to x times the ratio of the standard deviations at
 * both ends. A wrong sign, index or square root breaks the order at which the error falls. A method of several steps that begins with
 * steps of lower order shows less than its own (LMS and iPNDM, of order 4); UniPC's corrector adds one. The third-order formula of the multistep DPM-Solver has
 * half of the second difference in the reference, and is of second order.
 */
class SamplerOrderTest {
    private static final double VARIANCE = 0.25;
    // Betas whose smallest sigma is so small that a last step from it to 0 does not show.
    private static final String BETAS = "'beta_schedule':'linear','beta_start':1e-7,'beta_end':0.012,'set_alpha_to_one':false,"
            + "'clip_sample':false,'skip_prk_steps':true,'steps_offset':0";

    private static SchedulerConfig config(String className, String keys) {
        try {
            String json = "{'_class_name':'" + className + "'" + (keys.isEmpty() ? "" : "," + keys) + "}";
            return SchedulerConfig.of(new ObjectMapper().readTree(json.replace('\'', '"')));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "DDIM | | 1 | 25", "Euler | | 1 | 25", "sample_euler | karras | 1 | 25",
        "Heun | karras | 2 | 16", "HeunDiscreteScheduler | karras | 2 | 16", "dpm_2 | karras | 2 | 16",
        "KDPM2DiscreteScheduler | exponential | 2 | 16", "LMS | karras | 3.5 | 16",
        "sample_dpmpp_2m | karras | 2 | 16", "dpmpp_2m | karras | 2 | 16", "dpm_fast | | 3 | 18",
        "DPMSolverSinglestepScheduler | karras | 2 | 16", "UniPC | karras | 4 | 16", "uni_pc_bh2 | karras | 4 | 16",
        "DEIS | karras | 2 | 16"})
    void theErrorFallsWithTheOrder(String name, String schedule, double order, int steps) {
        SchedulerConfig model = config("PNDMScheduler", BETAS + ",'final_sigmas_type':'sigma_min'");
        SchedulerConfig chosen = Samplers.choose(model, name);
        check(name, schedule == null ? chosen : Samplers.schedule(chosen, schedule), order, steps);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "DPMSolverMultistepScheduler | 'solver_order':3,'use_karras_sigmas':true | 2 | 64",
        "DPMSolverMultistepScheduler | 'algorithm_type':'dpmsolver','use_karras_sigmas':true | 2 | 16",
        "DPMSolverMultistepScheduler | 'solver_type':'heun','use_karras_sigmas':true | 2 | 16",
        "DPMSolverSinglestepScheduler | 'solver_order':3,'use_karras_sigmas':true | 3 | 24",
        "DEISMultistepScheduler | 'solver_order':3,'use_karras_sigmas':true | 3 | 24",
        "UniPCMultistepScheduler | 'solver_order':2,'use_karras_sigmas':true | 3 | 16",
        "UniPCMultistepScheduler | 'solver_order':2,'predict_x0':false,'use_karras_sigmas':true | 3 | 16",
        "EDMEulerScheduler | 'sigma_data':1 | 1 | 25", "EDMDPMSolverMultistepScheduler | 'sigma_data':1 | 2 | 16",
        "FlowMatchEulerDiscreteScheduler | | 1 | 25", "FlowMatchHeunDiscreteScheduler | | 2 | 16", "IPNDMScheduler | | 1.8 | 16"})
    void theErrorOfAConfigFallsWithItsOrder(String className, String keys, double order, int steps) {
        boolean betas = SchedulerClass.named(className).orElseThrow().betas().schedules().contains("linear");
        String all = (betas ? BETAS + "," : "") + (keys == null ? "" : keys + ",") + "'final_sigmas_type':'sigma_min'";
        check(className + " " + keys, config(className, all), order, steps);
    }

    /** Measured between the last two of three runs, where it has settled. */
    private static void check(String name, SchedulerConfig config, double order, int steps) {
        double[] errors = {error(config, steps), error(config, 2 * steps), error(config, 4 * steps)};
        assertThat(errors[0]).as(name).isGreaterThan(errors[1]);
        assertThat(Math.log(errors[1] / errors[2]) / Math.log(2)).as(name).isBetween(order + Math.log(0.8) / Math.log(2), order + Math.log(1.4) / Math.log(2));
    }

    @Test
    void theAdaptiveSolverKeepsItsTolerance() {
        SchedulerConfig model = config("PNDMScheduler", BETAS);
        assertThat(error(Samplers.choose(model, "dpm_adaptive"), 10)).isLessThan(0.02);
    }

    private static double error(SchedulerConfig config, int steps) {
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Sampling sampling = Sampling.of(config, steps, 0);
            Grid grid = sampling.grid();
            int[] call = {0};
            boolean discrete = config.schedulerClass().betas().schedules().contains("linear");
            Network exact = (in, t) -> {
                double sigma = discrete && t != Math.rint(t) ? new SigmaTable(config.alphasCumprod()).sigma(t) : Double.NaN;
                NoiseLevel at = Double.isNaN(sigma) ? grid.level(call[0]) : NoiseLevel.ofSigma(sigma);
                call[0]++;
                return answer(sampling.prediction(), in, at);
            };
            NoiseLevel to = grid.sigmas().length > 0 ? grid.level(grid.calls())
                    : NoiseLevel.ofAlphaCumprod(grid.alphaCumprod(-1));
            double truth = spread(to) / spread(grid.level(0));
            Tensor end = sampling.sample(exact, Tensor.full(1, 1, 1), Noise.shared(rng), Step.Listener.none());
            return Math.abs(end.item() - truth) / truth;
        }
    }

    /** The expected answer for {@code in}, which has unit variance but for flows. */
    private static Tensor answer(Prediction prediction, Tensor in, NoiseLevel at) {
        boolean flow = prediction == Prediction.FLOW;
        NoiseLevel level = flow || at.alpha() < 1 ? at : NoiseLevel.ofSigma(at.sigma());
        double a = level.alpha();
        double s = level.sigma();
        double norm = a * a * VARIANCE + s * s;
        double epsilon = s / norm;
        double x0 = a * VARIANCE / norm;
        return in.mul(switch (prediction) {
            case EPSILON -> epsilon;
            case FLOW -> epsilon - x0;
            case V_PREDICTION -> a * epsilon - s * x0;
            case EDM -> s * x0 - a * epsilon;
            case SAMPLE -> x0;
        });
    }

    private static double spread(NoiseLevel at) {
        return Math.sqrt(at.alpha() * at.alpha() * VARIANCE + at.sigma() * at.sigma());
    }
}
