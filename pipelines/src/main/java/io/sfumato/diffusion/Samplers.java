package io.sfumato.diffusion;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The samplers and schedules that there are, under the names that diffusers, A1111's web UI and ComfyUI give them. */
public final class Samplers {
    private record Choice(String className, Map<String, Object> keys) {
    }

    private static final Map<String, Choice> NAMES = new LinkedHashMap<>();
    private static final Map<String, Map<String, Object>> SCHEDULES = new LinkedHashMap<>();

    static {
        SchedulerClass.names().forEach(name -> NAMES.put(name, new Choice(name, Map.of())));
        name(SchedulerClass.DDIM, Map.of(), "DDIM");
        name(SchedulerClass.PNDM, Map.of(), "PNDM");
        name(SchedulerClass.PNDM, Map.of("skip_prk_steps", true), "PLMS");
        name(SchedulerClass.EULER, Map.of(), "Euler");
        name(SchedulerClass.EULER_ANCESTRAL, Map.of(), "Euler a", "euler_ancestral");
        name(SchedulerClass.HEUN, Map.of(), "Heun");
        name(SchedulerClass.LMS, Map.of(), "LMS");
        name(SchedulerClass.DPM_MULTISTEP, Map.of(), "DPM++ 2M", "dpmpp_2m");
        name(SchedulerClass.DPM_MULTISTEP, Map.of("use_karras_sigmas", true), "DPM++ 2M Karras");
        name(SchedulerClass.DDPM, Map.of(), "DDPM");

        for (SigmaSchedule schedule : SigmaSchedule.values()) {
            SCHEDULES.put(schedule.name().toLowerCase(Locale.ROOT), Map.of());
        }
        SCHEDULES.put("normal", Map.of("timestep_spacing", "linspace"));
        SCHEDULES.put("linspace", Map.of("timestep_spacing", "linspace"));
        for (String name : List.of("trailing", "sgm_uniform", "simple")) {
            SCHEDULES.put(name, Map.of("timestep_spacing", "trailing"));
        }
        for (String name : List.of("leading", "ddim_uniform")) {
            SCHEDULES.put(name, Map.of("timestep_spacing", "leading"));
        }
    }

    private Samplers() {
    }

    private static void name(SchedulerClass scheduler, Map<String, Object> keys, String... names) {
        for (String name : names) {
            NAMES.put(name, new Choice(scheduler.className(), keys));
        }
    }

    /** Every name that {@link #choose} knows. */
    public static List<String> names() {
        return List.copyOf(NAMES.keySet());
    }

    /** Every name that {@link #schedule} knows. */
    public static List<String> schedules() {
        return List.copyOf(SCHEDULES.keySet());
    }

    /** The name of the sampler {@code name} that users know best: A1111's. */
    public static String commonName(String name) {
        Choice choice = find(name);
        return NAMES.entrySet().stream().filter(e -> e.getValue().equals(choice) && !SchedulerClass.names().contains(e.getKey()))
                .map(Map.Entry::getKey).findFirst().orElse(name);
    }

    /** @throws IllegalArgumentException for a sampler that is not known, with the nearest names */
    public static void requireSampler(String name) {
        find(name);
    }

    /** @throws IllegalArgumentException for a schedule that is not known, with the nearest names */
    public static void requireSchedule(String name) {
        if (!SCHEDULES.containsKey(name.toLowerCase(Locale.ROOT))) {
            throw unknown("schedule", name, SCHEDULES.keySet());
        }
    }

    /** {@code model}'s config turned to the sampler {@code name}, upper and lower case alike. */
    public static SchedulerConfig choose(SchedulerConfig model, String name) {
        Choice choice = find(name);
        return model.as(choice.className).with(choice.keys);
    }

    private static Choice find(String name) {
        return NAMES.entrySet().stream().filter(e -> e.getKey().equalsIgnoreCase(name)).map(Map.Entry::getValue).findFirst()
                .orElseThrow(() -> unknown("sampler", name, NAMES.keySet()));
    }

    /** {@code config} with its timesteps or sigmas laid out by the schedule {@code name}, upper and lower case alike. */
    public static SchedulerConfig schedule(SchedulerConfig config, String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        requireSchedule(name);
        Map<String, Object> keys = new LinkedHashMap<>(SCHEDULES.get(wanted));
        for (SigmaSchedule each : SigmaSchedule.values()) {
            if (each != SigmaSchedule.NORMAL) {
                boolean chosen = each.name().equalsIgnoreCase(wanted);
                keys.put(each.key(), chosen);
                if (chosen && !config.schedulerClass().schedules().contains(each)) {
                    throw new IllegalArgumentException("schedule \"" + name + "\": " + config.className()
                            + " takes normal, leading, trailing" + others(config.schedulerClass()));
                }
            }
        }
        return config.with(keys);
    }

    private static String others(SchedulerClass scheduler) {
        var names = new StringBuilder();
        scheduler.schedules().forEach(s -> names.append(", ").append(s.name().toLowerCase(Locale.ROOT)));
        return names.toString();
    }

    private static IllegalArgumentException unknown(String what, String name, Set<String> names) {
        return new IllegalArgumentException("unknown " + what + " \"" + name + "\"; the nearest are "
                + String.join(", ", Names.nearest(name, names)));
    }
}
