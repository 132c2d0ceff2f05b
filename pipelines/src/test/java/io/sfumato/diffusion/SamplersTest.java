package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.LiveObjects;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplersTest {
    private static final String SD = "'beta_start':0.00085,'beta_end':0.012,'beta_schedule':'scaled_linear','clip_sample':false,"
            + "'set_alpha_to_one':false,'skip_prk_steps':true,'steps_offset':1,'_diffusers_version':'0.6.0','trained_betas':null";

    private static SchedulerConfig config(String className, String keys) {
        try {
            String json = "{'_class_name':'" + className + "'" + (keys.isEmpty() ? "" : ",") + keys + "}";
            return SchedulerConfig.of(new ObjectMapper().readTree(json.replace('\'', '"')));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static float[] run(SchedulerConfig config, int steps) {
        try (var scope = new Scope(); var rng = new Rng(3); var drawn = new Rng(4)) {
            Sampling sampling = Sampling.of(config, steps, 0);
            Tensor x = rng.randn(1, 4, 4, 4).mul(sampling.initNoiseSigma());
            Network network = TwoHeads.of((in, t) -> in.mul(0.3).add(0.1 * Math.sin(t / 100)), 0.01, 7.5);
            return sampling.sample(network, x, Noise.shared(drawn), Step.Listener.none()).toFloats();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DDIMScheduler, DDIM, ddim", "PNDMScheduler, PLMS, pndm", "EulerDiscreteScheduler, Euler, euler",
        "EulerAncestralDiscreteScheduler, Euler a, euler_ancestral", "DPMSolverMultistepScheduler, DPM++ 2M, dpmpp_2m"})
    void synonymsGiveTheSameTrajectory(String className, String a1111, String comfy) {
        SchedulerConfig model = config("PNDMScheduler", SD);
        float[] expected = run(Samplers.choose(model, className), 7);
        assertThat(run(Samplers.choose(model, a1111), 7)).isEqualTo(expected);
        assertThat(run(Samplers.choose(model, comfy.toUpperCase(Locale.ROOT)), 7)).isEqualTo(expected);
    }

    /** A name that does the same as another one is listed as its synonym. */
    @ParameterizedTest
    @ValueSource(ints = {7, 22})
    void namesWithTheSameTrajectoryAreSynonyms(int steps) {
        SchedulerConfig model = config("DDIMScheduler", "'beta_start':0.00085,'beta_end':0.012,'beta_schedule':'scaled_linear'");
        Map<String, List<String>> samplers = new HashMap<>();
        for (String name : Samplers.names()) {
            if (forBetas(name)) {
                String end = Arrays.toString(run(Samplers.choose(model, name), steps));
                samplers.computeIfAbsent(end, e -> new ArrayList<>()).add(name);
            }
        }
        assertThat(samplers).hasSizeGreaterThan(35);
        samplers.values().forEach(names -> assertThat(Samplers.synonyms(names.get(0))).containsAll(names));
        Map<String, List<String>> schedules = new HashMap<>();
        for (String name : Samplers.schedules()) {
            if (!Samplers.scheduleSynonyms(name).isEmpty()) {
                String end = Arrays.toString(run(Samplers.schedule(Samplers.choose(model, "sample_euler"), name), steps));
                schedules.computeIfAbsent(end, e -> new ArrayList<>()).add(name);
            }
        }
        schedules.values().forEach(names -> assertThat(Samplers.scheduleSynonyms(names.get(0))).containsAll(names));
    }

    private static boolean forBetas(String name) {
        return SchedulerClass.named(name).map(c -> c.betas().schedules().contains("linear")).orElse(true);
    }

    /** Nothing native outlives a run. */
    @Test
    void everySamplerLeavesNothingBehind() {
        SchedulerConfig model = config("PNDMScheduler", SD);
        for (String name : Samplers.names()) {
            if (forBetas(name)) {
                SchedulerConfig chosen = Samplers.choose(model, name);
                run(chosen, 6);
                long before = LiveObjects.settled();
                run(chosen, 6);
                assertThat(Scope.live()).as(name).isEqualTo(before);
            }
        }
    }

    @Test
    void aNameWithItsScheduleIsTheSamplerWithThatSchedule() {
        SchedulerConfig model = config("PNDMScheduler", SD);
        float[] named = run(Samplers.choose(model, "DPM++ 2M Karras"), 7);
        assertThat(run(Samplers.schedule(Samplers.choose(model, "dpmpp_2m"), "karras"), 7)).isEqualTo(named);
        assertThat(run(Samplers.choose(model, "dpmpp_2m"), 7)).isNotEqualTo(named);
    }

    @Test
    void everySamplerTakesEveryScheduleOrSaysWhich() {
        SchedulerConfig model = config("PNDMScheduler", SD);
        for (SchedulerClass scheduler : SchedulerClass.values()) {
            if (!scheduler.betas().schedules().contains("linear")) {
                continue;
            }
            for (String schedule : Samplers.schedules()) {
                try {
                    SchedulerConfig chosen = Samplers.schedule(Samplers.choose(model, scheduler.className()), schedule);
                    assertThat(run(chosen, 5)).doesNotContain(Float.NaN);
                } catch (IllegalArgumentException e) {
                    assertThat(e).hasMessageMatching(".* takes (normal, leading, trailing|uniform, karras, ).*"
                            + "|the schedule ends at sigma .*");
                }
            }
        }
    }

    @Test
    void anUnknownNameIsAnsweredWithTheNearest() {
        SchedulerConfig model = config("PNDMScheduler", SD);
        assertThatThrownBy(() -> Samplers.choose(model, "Eular")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown sampler \"Eular\"; the nearest are Euler, Euler a, Heun");
        assertThatThrownBy(() -> Samplers.schedule(model, "karas")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("unknown schedule \"karas\"; the nearest are karras, ");
        assertThatThrownBy(() -> Samplers.schedule(Samplers.choose(model, "ddim"), "karras"))
                .hasMessage("schedule \"karras\": DDIMScheduler takes normal, leading, trailing");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "VQDiffusionScheduler || _class_name = \"VQDiffusionScheduler\" is not supported; supported are DDPMScheduler, DDIM",
        "DDIMScheduler | 'beta_shedule':1 | beta_shedule = 1 is not supported; of the known keys beta_schedule, ",
        "DDIMScheduler | 'beta_schedule':'cubic' | beta_schedule = cubic is not supported by DDIMScheduler; supported: linear, scaled",
        "DDIMScheduler | 'clip_sample':'yes' | clip_sample = \"yes\" is not supported by DDIMScheduler; supported: true, false",
        "DDIMScheduler | 'beta_end':'x' | beta_end = \"x\" is not supported by DDIMScheduler; supported: numbers",
        "DDIMScheduler | 'steps_offset':0.5 | steps_offset = 0.5 is not supported by DDIMScheduler; supported: whole numbers",
        "DDIMScheduler | 'num_train_timesteps':0 | num_train_timesteps = 0 is not supported by DDIMScheduler; supported: 1 to 1000000",
        "DDIMScheduler | 'trained_betas':['a'] | trained_betas = \"a\" is not supported by DDIMScheduler; supported: lists of",
        "PNDMScheduler | 'prediction_type':'sample' | prediction_type = sample is not supported by PNDMScheduler; supported: epsilon, v_",
        "DPMSolverMultistepScheduler | 'solver_order':4 | solver_order = 4 is not supported by DPMSolverMultistepScheduler; supported: 1",
        "DPMSolverMultistepScheduler | 'algorithm_type':'dpmsolver' | final_sigmas_type = zero is not supported",
        "DPMSolverMultistepScheduler | 'algorithm_type':'dpmsolver+' | algorithm_type = dpmsolver+ is not supported",
        "DPMSolverMultistepScheduler | 'prediction_type':'flow_prediction' | prediction_type = flow_prediction is not supported",
        "DPMSolverMultistepScheduler | 'use_flow_sigmas':true,'use_karras_sigmas':true | use_karras_sigmas = true is not supported",
        "UniPCMultistepScheduler | 'solver_type':'bh1' | final_sigmas_type = zero is not supported by UniPCMultistepScheduler; supported:",
        "UniPCMultistepScheduler | 'shift_terminal':0.1 | shift_terminal = 0.1 is not supported by UniPCMultistepScheduler; supported: a",
        "SASolverScheduler | 'predictor_order':5 | predictor_order = 5 is not supported by SASolverScheduler; supported: 1 to 4",
        "SASolverScheduler | 'tau_func':'x' | tau_func = x is not supported by SASolverScheduler; supported: null",
        "DDPMScheduler | 'variance_type':'fixed_large_log' | variance_type = fixed_large_log is not supported by DDPMScheduler; supported",
        "KDPM2DiscreteScheduler | 'prediction_type':'sample' | prediction_type = sample is not supported by KDPM2DiscreteScheduler",
        "EDMEulerScheduler | 'sigma_schedule':'beta' | sigma_schedule = beta is not supported by EDMEulerScheduler; supported: karras, e",
        "LCMScheduler | 'original_inference_steps':1001 | original_inference_steps = 1001 is not supported by LCMScheduler; supported: 1",
        "EulerDiscreteScheduler | 'use_karras_sigmas':true,'use_beta_sigmas':true | use_beta_sigmas = true is not supported"})
    void aConfigThatIsNotSupportedSaysWhatIs(String className, String keys, String message) {
        assertThatThrownBy(() -> config(className, keys == null ? "" : keys)).isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("scheduler_config.json: " + message).hasMessageNotContaining("\n");
    }

    @Test
    void stepsEtaAndStartHaveBounds() {
        SchedulerConfig ddim = config("DDIMScheduler", "");
        assertThatThrownBy(() -> Sampling.of(ddim, 0, 0)).hasMessage("0 steps: 1 or more are wanted");
        assertThatThrownBy(() -> Sampling.of(ddim, 5, 2)).hasMessage("eta is 2.0: between 0 and 1 is wanted");
        assertThatThrownBy(() -> Sampling.of(ddim, 5, 0).from(5)).hasMessage("start 5 is not one of the 5 network calls");
        assertThatThrownBy(() -> Sampling.of(config("PNDMScheduler", ""), 3, 0)).hasMessageContaining("takes 4 or more");
    }

    @Test
    void aListenerHearsEveryCallAndCancels() {
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Sampling sampling = Sampling.of(config("PNDMScheduler", SD), 4, 0);
            int[] heard = {0};
            assertThatThrownBy(() -> sampling.sample((x, t) -> x, rng.randn(1, 2), Noise.shared(rng), step -> {
                assertThat(step.index()).isEqualTo(heard[0]++);
                assertThat(step.total()).isEqualTo(5);
                assertThat(step.x0().shape()).isEqualTo(step.x().shape());
                if (heard[0] == 3) {
                    throw new CancellationException("enough");
                }
                return step.x();
            })).isInstanceOf(CancellationException.class);
            assertThat(heard[0]).isEqualTo(3);
        }
    }

    @Test
    void goesOnFromWhatTheListenerSays() {
        for (String name : List.of("PNDM", "DDIM", "DDPM", "EulerDiscrete", "EulerAncestralDiscrete", "HeunDiscrete", "LMSDiscrete",
                "DPMSolverMultistep")) {
            try (var scope = new Scope(); var rng = new Rng(1)) {
                Sampling sampling = Sampling.of(config(name + "Scheduler", SD), 4, 0);
                Tensor end = sampling.sample((x, t) -> x, rng.randn(1, 2), Noise.shared(rng), step -> Tensor.full(step.index(), 1, 2));
                assertThat(end.toDoubles()).as(name).containsOnly(sampling.grid().calls() - 1);
            }
        }
    }

    @Test
    void noiseOfEachPictureIsWhatItGetsAlone() {
        try (var scope = new Scope(); var a = new Rng(5); var b = new Rng(6); var alone = new Rng(6)) {
            Tensor both = Noise.each(a, b).next(Tensor.zeros(DType.F32, 2, 3, 4, 4));
            assertThat(both.narrow(0, 1, 1).equal(alone.randn(1, 3, 4, 4))).isTrue();
            assertThatThrownBy(() -> Noise.each(a).next(Tensor.zeros(2, 3))).hasMessage("1 generators for a batch of 2");
        }
    }

    @Test
    void guidanceMovesAwayFromTheUnconditionalAnswerAndRescalesItsSpread() {
        try (var scope = new Scope(); var rng = new Rng(2)) {
            Tensor u = rng.randn(2, 4, 8, 8);
            Tensor c = rng.randn(2, 4, 8, 8);
            assertThat(Guidance.guide(u, c, 1).sub(c).abs().amax(false, 0, 1, 2, 3).item()).isLessThan(1e-6);
            Tensor guided = Guidance.guide(u, c, 7.5);
            assertThat(guided.select(0, 0).sub(u.select(0, 0).mul(-6.5).add(c.select(0, 0).mul(7.5))).abs().amax(false, 0, 1, 2).item())
                    .isLessThan(1e-4);
            Tensor full = Guidance.rescale(guided, c, 1);
            assertThat(full.std(false, 1, 2, 3).toDoubles()).containsExactly(c.std(false, 1, 2, 3).toDoubles(), offset(1e-5));
            assertThat(Guidance.rescale(guided, c, 0).equal(guided)).isTrue();
        }
    }

    @Test
    void whatAClassDoesNotTakeIsRefusedByName() {
        SchedulerConfig ddim = config("DDIMScheduler", "");
        SchedulerConfig euler = config("EulerDiscreteScheduler", "'use_karras_sigmas':true");
        SchedulerConfig flow = config("FlowMatchEulerDiscreteScheduler", "'use_dynamic_shifting':true");
        StepOptions defaults = StepOptions.defaults();
        assertThatThrownBy(() -> Sampling.of(ddim, Steps.atTimesteps(900, 1), defaults))
                .hasMessage("DDIMScheduler takes a number of steps, no timesteps of one's own");
        assertThatThrownBy(() -> Sampling.of(config("DDPMScheduler", ""), Steps.atSigmas(9, 1, 0), defaults))
                .hasMessage("DDPMScheduler takes a number of steps or timesteps, no sigmas of one's own");
        assertThatThrownBy(() -> Sampling.of(euler, 5, 0.5))
                .hasMessage("eta is not used by EulerDiscreteScheduler; it is by DDIMScheduler, TCDScheduler");
        assertThatThrownBy(() -> Sampling.of(ddim, Steps.of(5), defaults.withOrder(2)))
                .hasMessage("order is not used by DDIMScheduler; it is by LMSDiscreteScheduler, sample_lms");
        assertThatThrownBy(() -> Sampling.of(euler, Steps.atTimesteps(900, 1), defaults))
                .hasMessage("timesteps of one's own and use_karras_sigmas: one of them is wanted");
        assertThatThrownBy(() -> Sampling.of(flow, Steps.of(5), defaults)).hasMessageContaining("wants a mu for the size of the picture");
        assertThatThrownBy(() -> Sampling.of(config("UnCLIPScheduler", ""), 1, 0)).hasMessageContaining("takes 2 or more");
        assertThatThrownBy(() -> Sampling.of(config("DDPMScheduler", ""), Steps.atTimesteps(1000, 1), defaults))
                .hasMessage("timestep 1000.0: the training had 1000");
        assertThatThrownBy(() -> Steps.atTimesteps(1, 900)).hasMessage("timestep 900.0: falling ones down to 0 are wanted");
        assertThatThrownBy(() -> Steps.atSigmas(1, -1)).hasMessage("sigma -1.0: 0 or more is wanted");
        assertThatThrownBy(() -> Steps.of(5).withStrength(0)).hasMessage("strength is 0.0: above 0 and up to 1 is wanted");
        assertThatThrownBy(() -> new Churn(-1, 0, 1, 1)).hasMessageStartingWith("s_churn -1.0, ");
    }

    @Test
    void aLearnedVarianceWantsTwiceTheChannels() {
        SchedulerConfig config = config("DDPMScheduler", "'variance_type':'learned_range'");
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Tensor x = rng.randn(1, 4, 2, 2);
            assertThatThrownBy(() -> Sampling.of(config, 5, 0).sample((in, t) -> in, x, Noise.shared(rng), Step.Listener.none()))
                    .hasMessage("variance_type learned_range wants 8 channels from the network, which gives 4");
        }
    }

    @Test
    void moreStepsThanTheTrainingHasTimestepsIsRefused() {
        SchedulerConfig config = SchedulerConfig.of(new ObjectMapper().valueToTree(Map.of("_class_name", "PNDMScheduler",
                "num_train_timesteps", 1000, "steps_offset", 1, "skip_prk_steps", true)));
        assertThatThrownBy(() -> Sampling.of(config, 1000, 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("reach timestep 1000").hasMessageContaining("take fewer steps");
    }
}
