package io.sfumato.diffusion;

import static io.sfumato.diffusion.SchedulerConfig.K_SCHEDULE;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The samplers and schedules that there are, under the names that diffusers, k-diffusion, A1111's web UI and ComfyUI give them. */
public final class Samplers {
    private record Choice(SchedulerClass scheduler, Map<String, Object> keys) {
    }

    private static final String DISCARD = "discard_next_to_last_sigma";
    private static final Map<String, Choice> NAMES = new LinkedHashMap<>();
    private static final Map<String, Map<String, Object>> SPACINGS = new LinkedHashMap<>();
    private static final Map<String, KSchedule> SCHEDULES = new LinkedHashMap<>();

    static {
        Map<String, Object> karras = Map.of(K_SCHEDULE, "karras");
        Map<String, Object> exponential = Map.of(K_SCHEDULE, "exponential");
        name(SchedulerClass.DDIM, Map.of(), "DDIM");
        name(SchedulerClass.DDIM, Map.of(DdimCfgPlusPlus.KEY, true, "clip_sample", false), "DDIM CFG++");
        name(SchedulerClass.PNDM, Map.of(), "PNDM");
        name(SchedulerClass.PNDM, Map.of("skip_prk_steps", true), "PLMS");
        name(SchedulerClass.EULER, Map.of(), "Euler");
        name(SchedulerClass.EULER_ANCESTRAL, Map.of(), "Euler a", "euler_ancestral");
        name(SchedulerClass.DPM_MULTISTEP, Map.of(), "DPM++ 2M", "dpmpp_2m");
        name(SchedulerClass.DPM_MULTISTEP, Map.of("use_karras_sigmas", true), "DPM++ 2M Karras");
        name(SchedulerClass.K_HEUN, Map.of(), "Heun");
        name(SchedulerClass.K_LMS, Map.of(), "LMS");
        name(SchedulerClass.K_DPM_2, Map.of(K_SCHEDULE, "karras", DISCARD, true), "DPM2");
        name(SchedulerClass.K_DPM_2, Map.of(), "dpm_2");
        name(SchedulerClass.K_DPM_2_ANCESTRAL, Map.of(K_SCHEDULE, "karras", DISCARD, true), "DPM2 a");
        name(SchedulerClass.K_DPM_2_ANCESTRAL, Map.of(), "dpm_2_ancestral");
        name(SchedulerClass.K_DPMPP_2S_ANCESTRAL, karras, "DPM++ 2S a");
        name(SchedulerClass.K_DPMPP_2S_ANCESTRAL, Map.of(), "dpmpp_2s_ancestral");
        name(SchedulerClass.K_DPMPP_SDE, karras, "DPM++ SDE");
        name(SchedulerClass.K_DPMPP_SDE, Map.of(), "dpmpp_sde");
        name(SchedulerClass.K_DPMPP_2M_SDE, exponential, "DPM++ 2M SDE");
        name(SchedulerClass.K_DPMPP_2M_SDE, Map.of(), "dpmpp_2m_sde");
        name(SchedulerClass.K_DPMPP_2M_SDE, Map.of(K_SCHEDULE, "exponential", "solver_type", "heun"), "DPM++ 2M SDE Heun");
        name(SchedulerClass.K_DPMPP_2M_SDE, Map.of("solver_type", "heun"), "dpmpp_2m_sde_heun");
        name(SchedulerClass.K_DPMPP_3M_SDE, Map.of(K_SCHEDULE, "exponential", DISCARD, true), "DPM++ 3M SDE");
        name(SchedulerClass.K_DPMPP_3M_SDE, Map.of(), "dpmpp_3m_sde");
        name(SchedulerClass.K_DPM_FAST, Map.of("eta", 1), "DPM fast");
        name(SchedulerClass.K_DPM_FAST, Map.of(), "dpm_fast");
        name(SchedulerClass.K_DPM_ADAPTIVE, Map.of("eta", 1), "DPM adaptive");
        name(SchedulerClass.K_DPM_ADAPTIVE, Map.of(), "dpm_adaptive");
        name(SchedulerClass.K_RESTART, karras, "Restart", "restart_sampler");
        name(SchedulerClass.UNIPC, unipc("bh1"), "UniPC", "uni_pc");
        name(SchedulerClass.UNIPC, unipc("bh2"), "uni_pc_bh2");
        name(SchedulerClass.DEIS, Map.of(), "DEIS");
        name(SchedulerClass.SA, Map.of(), "SA Solver", "sa_solver");
        name(SchedulerClass.DDPM, Map.of(), "DDPM");
        name(SchedulerClass.LCM, Map.of(), "LCM");
        name(SchedulerClass.TCD, Map.of(), "TCD");
        for (SchedulerClass each : SchedulerClass.values()) {
            NAMES.putIfAbsent(each.className(), new Choice(each, Map.of()));
        }

        SPACINGS.put("normal", Map.of("timestep_spacing", "linspace"));
        SPACINGS.put("linspace", Map.of("timestep_spacing", "linspace"));
        for (String name : List.of("trailing", "sgm_uniform", "simple")) {
            SPACINGS.put(name, Map.of("timestep_spacing", "trailing"));
        }
        for (String name : List.of("leading", "ddim_uniform")) {
            SPACINGS.put(name, Map.of("timestep_spacing", "leading"));
        }
        for (KSchedule each : KSchedule.values()) {
            SCHEDULES.put(each.name().toLowerCase(Locale.ROOT), each);
        }
        // k-diffusion's rho is 1.
        SCHEDULES.put("polyexponential", KSchedule.EXPONENTIAL);
        SCHEDULES.put("normal", KSchedule.UNIFORM);
        SCHEDULES.put("automatic", KSchedule.UNIFORM);
        SCHEDULES.put("ddim", KSchedule.DDIM_UNIFORM);
        SCHEDULES.put("ays", KSchedule.ALIGN_YOUR_STEPS);
        SCHEDULES.put("ays_sdxl", KSchedule.ALIGN_YOUR_STEPS_SDXL);
    }

    private Samplers() {
    }

    /** A1111's and ComfyUI's: of third order, and down to the training's smallest sigma. */
    private static Map<String, Object> unipc(String variant) {
        return Map.of("solver_type", variant, "solver_order", 3, "final_sigmas_type", "sigma_min", "timestep_spacing", "linspace");
    }

    private static void name(SchedulerClass scheduler, Map<String, Object> keys, String... names) {
        for (String name : names) {
            NAMES.put(name, new Choice(scheduler, keys));
        }
    }

    /** Every name that {@link #choose} knows; A1111's may have a schedule's behind them, as in {@code DPM++ SDE Karras}. */
    public static List<String> names() {
        return List.copyOf(NAMES.keySet());
    }

    /** Every name that {@link #schedule} knows. */
    public static List<String> schedules() {
        Map<String, Object> all = new LinkedHashMap<>(SPACINGS);
        all.putAll(SCHEDULES);
        all.put("lu", SigmaSchedule.LU);
        return List.copyOf(all.keySet());
    }

    /** The name of the sampler {@code name} that users know best: A1111's. */
    public static String commonName(String name) {
        return synonyms(name).stream().filter(n -> !SchedulerClass.names().contains(n)).findFirst().orElse(name);
    }

    /** Whether the pictures of a batch decide together where the sampler {@code name} puts its steps, so that each is another one alone. */
    public static boolean stepsTogether(String name) {
        return find(name).or(() -> withSchedule(name).flatMap(parts -> find(parts[0])))
                .filter(choice -> choice.scheduler == SchedulerClass.K_DPM_ADAPTIVE).isPresent();
    }

    /** Every name of the sampler {@code name}, itself too. */
    static List<String> synonyms(String name) {
        Choice choice = find(name).orElseThrow(() -> unknownSampler(name));
        return NAMES.entrySet().stream().filter(e -> e.getValue().equals(choice)).map(Map.Entry::getKey).toList();
    }

    /** Every name of the schedule {@code name} for samplers that take any sigmas, itself too. */
    static List<String> scheduleSynonyms(String name) {
        return SCHEDULES.entrySet().stream().filter(e -> e.getValue() == SCHEDULES.get(name)).map(Map.Entry::getKey).toList();
    }

    /** @throws IllegalArgumentException for a sampler that is not known, with the nearest names */
    public static void requireSampler(String name) {
        if (find(name).isEmpty() && withSchedule(name).isEmpty()) {
            throw unknownSampler(name);
        }
    }

    /** @throws IllegalArgumentException for a schedule that is not known, with the nearest names */
    public static void requireSchedule(String name) {
        if (!schedules().contains(plain(name)) && !TimestepLists.has(name)) {
            throw unknown("schedule", name, Stream.concat(schedules().stream(), TimestepLists.names().stream()).toList());
        }
    }

    private static String plain(String schedule) {
        return schedule.toLowerCase(Locale.ROOT).replace(' ', '_');
    }

    /** {@code model}'s config turned to the sampler {@code name}, upper and lower case alike. */
    public static SchedulerConfig choose(SchedulerConfig model, String name) {
        Optional<Choice> found = find(name);
        if (found.isEmpty()) {
            String[] parts = withSchedule(name).orElseThrow(() -> unknownSampler(name));
            return schedule(choose(model, parts[0]), parts[1]);
        }
        Choice choice = found.get();
        SchedulerClass scheduler = choice.scheduler.forNetworksOf(model.schedulerClass()).orElseThrow(() -> new IllegalArgumentException(
                "sampler \"" + name + "\": " + choice.scheduler.className() + " is not for a model of " + model.className() + "; "
                        + String.join(", ", model.schedulerClass().kin()) + " are"));
        SchedulerConfig config = model.as(scheduler.className()).with(choice.keys);
        return scheduler.solvesFlows() && model.schedulerClass().isFlow() ? config.with(Map.of("use_flow_sigmas", true,
                "prediction_type", "flow_prediction", "flow_shift", model.number("shift", 1))) : config;
    }

    private static Optional<Choice> find(String name) {
        return NAMES.entrySet().stream().filter(e -> e.getKey().equalsIgnoreCase(name)).map(Map.Entry::getValue).findFirst();
    }

    /** A sampler's name and the schedule's behind it. */
    private static Optional<String[]> withSchedule(String name) {
        return schedules().stream().filter(s -> plain(name).endsWith("_" + s))
                .map(s -> new String[] {name.substring(0, name.length() - s.length() - 1), s})
                .filter(parts -> find(parts[0]).isPresent()).findFirst();
    }

    /** {@code config} with its timesteps or sigmas laid out by the schedule {@code name}, upper and lower case alike. */
    public static SchedulerConfig schedule(SchedulerConfig config, String name) {
        requireSchedule(name);
        String wanted = plain(name);
        SchedulerClass scheduler = config.schedulerClass();
        Map<String, Object> keys = new LinkedHashMap<>();
        Optional<SigmaSchedule> own = scheduler.schedules().stream().filter(s -> s.name().equalsIgnoreCase(wanted)).findFirst();
        scheduler.schedules().forEach(each -> keys.put(each.key(), own.filter(each::equals).isPresent()));
        if (own.isEmpty() && !scheduler.ofKDiffusion() && SPACINGS.containsKey(wanted)) {
            keys.putAll(SPACINGS.get(wanted));
        } else if (own.isEmpty() && SCHEDULES.containsKey(wanted) && scheduler.takesAnySigmas()) {
            keys.put(K_SCHEDULE, SCHEDULES.get(wanted).name());
        } else if (own.isEmpty()) {
            throw new IllegalArgumentException("schedule \"" + name + "\": " + config.className() + " takes " + others(scheduler));
        }
        return config.without(K_SCHEDULE).with(keys);
    }

    private static String others(SchedulerClass scheduler) {
        if (scheduler.takesAnySigmas()) {
            return String.join(", ", SCHEDULES.keySet());
        }
        var names = new StringBuilder("normal, leading, trailing");
        scheduler.schedules().forEach(s -> names.append(", ").append(s.name().toLowerCase(Locale.ROOT)));
        return names.toString();
    }

    private static IllegalArgumentException unknownSampler(String name) {
        return unknown("sampler", name, List.copyOf(NAMES.keySet()));
    }

    private static IllegalArgumentException unknown(String what, String name, List<String> names) {
        return new IllegalArgumentException("unknown " + what + " \"" + name + "\"; the nearest are "
                + String.join(", ", Names.nearest(name, names)));
    }
}
