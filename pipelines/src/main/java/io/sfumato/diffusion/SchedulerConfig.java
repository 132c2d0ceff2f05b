package io.sfumato.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.sfumato.io.CheckpointException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The settings of a scheduler as a diffusers {@code scheduler_config.json} has them: the class name and the keys that are given. Keys
 * that the class does not read but another one does are carried along, so that {@link #as} can turn to that one, as diffusers'
 * {@code from_config} does.
 */
public record SchedulerConfig(String className, Map<String, JsonNode> keys) {
    /** Every key of the reference's schedulers for diffusion: what is none of these is no scheduler key. */
    private static final Set<String> KNOWN = Set.of(
            "algorithm_type", "base_image_seq_len", "base_shift", "beta_end", "beta_schedule", "beta_start", "clip_denoised",
            "clip_sample", "clip_sample_range", "corrector_order", "disable_corrector", "dynamic_thresholding_ratio", "eta",
            "euler_at_final", "final_sigmas_type", "flow_shift", "interpolation_type", "invert_sigmas", "lambda_min_clipped",
            "lower_order_final", "max_image_seq_len", "max_shift", "noise_sampler_seed", "num_train_timesteps",
            "original_inference_steps", "predict_x0", "prediction_type", "predictor_order", "rescale_betas_zero_snr", "rho", "s_churn",
            "s_max", "s_min", "s_noise", "sample_max_value", "set_alpha_to_one", "shift", "shift_terminal", "sigma_data", "sigma_max",
            "sigma_min", "sigma_schedule", "skip_prk_steps", "snr_shift_scale", "solver_order", "solver_p", "solver_type",
            "steps_offset", "stochastic_sampling", "tau_func", "thresholding", "time_shift_type", "timestep_scaling",
            "timestep_spacing", "timestep_type", "trained_betas", "use_beta_sigmas", "use_dynamic_shifting",
            "use_exponential_sigmas", "use_flow_sigmas", "use_karras_sigmas", "use_lu_lambdas", "variance_type");
    /** JSON has no infinity: some files quote it. */
    private static final Set<String> MINUS_INFINITY = Set.of("-inf", "-Infinity");
    private static final int TRIAL_STEPS = 10;
    /** No key of the reference's: only a schedule chosen by name sets it. */
    static final String K_SCHEDULE = "k_schedule";
    private static final int MOST_TIMESTEPS = 1_000_000;

    public SchedulerConfig {
        keys = Map.copyOf(keys);
        if (SchedulerClass.named(className).isEmpty()) {
            throw new IllegalArgumentException("unknown scheduler \"" + className + "\"; the nearest are "
                    + String.join(", ", Names.nearest(className, SchedulerClass.names())));
        }
    }

    /** Reads the object of a {@code scheduler_config.json}; what is not supported in it throws CheckpointException here. */
    public static SchedulerConfig of(JsonNode json) {
        Map<String, JsonNode> keys = new TreeMap<>();
        json.fields().forEachRemaining(e -> {
            if (!e.getKey().startsWith("_")) {
                if (!KNOWN.contains(e.getKey())) {
                    throw new CheckpointException("scheduler_config.json: " + e.getKey() + " = " + e.getValue()
                            + " is not supported; of the known keys "
                            + String.join(", ", Names.nearest(e.getKey(), KNOWN)) + " are nearest");
                }
                if (!e.getValue().isNull()) {
                    keys.put(e.getKey(), e.getValue());
                }
            }
        });
        String className = json.path("_class_name").asText();
        if (!SchedulerClass.inFiles().contains(className)) {
            throw new CheckpointException("scheduler_config.json: _class_name = \"" + className + "\" is not supported; supported are "
                    + String.join(", ", SchedulerClass.inFiles()));
        }
        var config = new SchedulerConfig(className, keys);
        // A plan reads every key: a bad value shows now and not after the weights are loaded.
        Sampling.of(config, Steps.of(Math.min(TRIAL_STEPS, config.trainTimesteps())).withMu(1), StepOptions.defaults());
        return config;
    }

    /** A schedule of k-diffusion's in the place of the class's own. */
    Optional<KSchedule> kSchedule() {
        return keys.containsKey(K_SCHEDULE) ? Optional.of(KSchedule.named(text(K_SCHEDULE, ""))) : Optional.empty();
    }

    SchedulerClass schedulerClass() {
        return SchedulerClass.named(className).orElseThrow();
    }

    /** Another scheduler with the keys of this one that it shares, and its own defaults for the rest. */
    public SchedulerConfig as(String otherClassName) {
        return new SchedulerConfig(otherClassName, keys);
    }

    SchedulerConfig without(String key) {
        Map<String, JsonNode> all = new TreeMap<>(keys);
        all.remove(key);
        return new SchedulerConfig(className, all);
    }

    /** This, with {@code more} keys set to texts, numbers or booleans. */
    SchedulerConfig with(Map<String, Object> more) {
        Map<String, JsonNode> all = new TreeMap<>(keys);
        more.forEach((key, value) -> all.put(key, value instanceof Boolean b ? BooleanNode.valueOf(b)
                : value instanceof Number n ? DoubleNode.valueOf(n.doubleValue()) : TextNode.valueOf(value.toString())));
        return new SchedulerConfig(className, all);
    }

    /**
     * What is left of a picture's variance at each training timestep: cumulative products of 1 - beta. A network for this scheduler is
     * trained on them.
     */
    public double[] alphasCumprod() {
        return schedulerClass().betas().alphasCumprod(this);
    }

    /** Whether the sampler takes the noise that it adds from the network, which answers with twice the channels. */
    public boolean learnsVariance() {
        return List.of(SchedulerClass.DDPM, SchedulerClass.UNCLIP).contains(schedulerClass())
                && List.of("learned", "learned_range").contains(text("variance_type", ""));
    }

    double number(String key, double absent) {
        JsonNode value = keys.get(key);
        if (value == null) {
            return absent;
        }
        if (MINUS_INFINITY.contains(value.asText())) {
            return Double.NEGATIVE_INFINITY;
        }
        if (!value.isNumber()) {
            throw error(key, value.toString(), "numbers");
        }
        return value.asDouble();
    }

    int integer(String key, int absent) {
        JsonNode value = keys.get(key);
        if (value == null) {
            return absent;
        }
        if (!value.canConvertToInt() || !value.canConvertToExactIntegral()) {
            throw error(key, value.toString(), "whole numbers");
        }
        return value.asInt();
    }

    boolean flag(String key, boolean absent) {
        JsonNode value = keys.get(key);
        if (value == null) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw error(key, value.toString(), "true, false");
        }
        return value.asBoolean();
    }

    String text(String key, String absent) {
        JsonNode value = keys.get(key);
        return value == null ? absent : value.asText();
    }

    /** The numbers of a list, none where the key is not given. */
    double[] numbers(String key) {
        JsonNode value = keys.get(key);
        if (value == null) {
            return new double[0];
        }
        if (!value.isArray()) {
            throw error(key, value.toString(), "lists of numbers");
        }
        double[] numbers = new double[value.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!value.get(i).isNumber()) {
                throw error(key, value.get(i).toString(), "lists of numbers");
            }
            numbers[i] = value.get(i).asDouble();
        }
        return numbers;
    }

    /** One of {@code choices}; the first where the key is not given. */
    String choice(String key, String... choices) {
        String value = text(key, choices[0]);
        if (!List.of(choices).contains(value)) {
            throw error(key, value, String.join(", ", choices));
        }
        return value;
    }

    /** Throws unless the key is absent or has one of the values without which the scheduler is another one. */
    void require(String key, String... values) {
        choice(key, values);
    }

    CheckpointException error(String key, String value, String supported) {
        return new CheckpointException("scheduler_config.json: " + key + " = " + value + " is not supported by " + className
                + "; supported: " + supported);
    }

    int trainTimesteps() {
        int n = integer("num_train_timesteps", 1000);
        if (n < 1 || n > MOST_TIMESTEPS) {
            throw error("num_train_timesteps", Integer.toString(n), "1 to " + MOST_TIMESTEPS);
        }
        return n;
    }

    Prediction prediction() {
        return switch (choice("prediction_type", "epsilon", "v_prediction", "sample")) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V_PREDICTION;
            default -> Prediction.SAMPLE;
        };
    }

    Spacing spacing(Spacing absent) {
        if (!keys.containsKey("timestep_spacing")) {
            return absent;
        }
        return switch (choice("timestep_spacing", "linspace", "leading", "trailing")) {
            case "linspace" -> Spacing.LINSPACE;
            case "leading" -> Spacing.LEADING;
            default -> Spacing.TRAILING;
        };
    }

    /** Whole timesteps, spaced as the config says or else as {@code absent}. */
    double[] timesteps(Spacing absent, Steps steps) {
        return Spacing.rounded(spaced(absent, steps));
    }

    /** As {@link #timesteps}, but not rounded to more than float32. */
    double[] floatTimesteps(Spacing absent, Steps steps) {
        return Sigmas.floats(spaced(absent, steps));
    }

    private double[] spaced(Spacing absent, Steps steps) {
        if (steps.kind() == Steps.Kind.TIMESTEPS) {
            if (steps.timesteps()[0] >= trainTimesteps()) {
                throw new IllegalArgumentException("timestep " + steps.timesteps()[0] + ": the training had " + trainTimesteps());
            }
            return steps.timesteps();
        }
        return spacing(absent).timesteps(trainTimesteps(), steps.count(), integer("steps_offset", 0));
    }

    /** The schedule that a key turns on; timesteps of one's own leave no room for it. */
    SigmaSchedule sigmaSchedule(Steps steps) {
        SigmaSchedule schedule = SigmaSchedule.NORMAL;
        for (SigmaSchedule each : SigmaSchedule.values()) {
            if (each != SigmaSchedule.NORMAL && schedulerClass().schedules().contains(each) && flag(each.key(), false)) {
                if (schedule != SigmaSchedule.NORMAL) {
                    throw error(each.key(), "true", "one schedule of sigmas, and " + schedule.key() + " is set");
                }
                schedule = each;
            }
        }
        if (schedule != SigmaSchedule.NORMAL && steps.kind() == Steps.Kind.TIMESTEPS) {
            throw new IllegalArgumentException("timesteps of one's own and " + schedule.key() + ": one of them is wanted");
        }
        return schedule;
    }

    /** Whether the last sigma is 0, and not the smallest of the training. */
    boolean endsAtZero() {
        return choice("final_sigmas_type", "zero", "sigma_min").equals("zero");
    }

    /** Dynamic thresholding where it is on. */
    Clipping thresholding() {
        return flag("thresholding", false)
                ? Clipping.dynamic(number("dynamic_thresholding_ratio", 0.995), number("sample_max_value", 1)) : Clipping.none();
    }

    /** The range that pictures are cut to where {@code clip_sample}, which is {@code absent} if not given, is on. */
    Clipping range(boolean absent) {
        return flag("clip_sample", absent) ? Clipping.range(number("clip_sample_range", 1)) : Clipping.none();
    }

    /** Thresholding before the range. */
    Clipping clipping(boolean absent) {
        return flag("thresholding", false) ? thresholding() : range(absent);
    }
}
