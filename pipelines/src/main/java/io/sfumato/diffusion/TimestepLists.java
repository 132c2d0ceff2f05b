package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Schedules that list their timesteps: {@code 999,800,500,0}, falling; or those that DeepFloyd published for its models, which pass each
 * of some sections of the 1000 training timesteps in even strides.
 */
public final class TimestepLists {
    private static final int TRAINED = 1000;
    private static final Map<String, int[]> NAMED = new LinkedHashMap<>();

    static {
        named("fast27", 10, 10, 3, 2, 2);
        named("smart27", 7, 4, 2, 1, 2, 4, 7);
        named("smart50", 10, 6, 4, 3, 2, 2, 3, 4, 6, 10);
        named("smart100", 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 10, 13);
        named("smart185", 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20);
        named("super27", 1, 1, 1, 1, 1, 1, 1, 2, 5, 13);
        named("super40", 2, 2, 2, 2, 2, 2, 3, 4, 6, 15);
        named("super100", 4, 4, 6, 6, 8, 8, 10, 10, 14, 30);
    }

    private TimestepLists() {
    }

    private static void named(String name, int... counts) {
        NAMED.put(name, counts);
    }

    static List<String> names() {
        return List.copyOf(NAMED.keySet());
    }

    /** Whether {@code schedule} is such a list or the name of one. */
    public static boolean has(String schedule) {
        return NAMED.containsKey(schedule.toLowerCase(Locale.ROOT)) || schedule.matches("\\s*\\d{1,9}(\\s*,\\s*\\d{1,9})*\\s*");
    }

    /** The timesteps of a schedule that {@link #has}. */
    public static Steps of(String schedule) {
        int[] counts = NAMED.get(schedule.toLowerCase(Locale.ROOT));
        return Steps.atTimesteps(counts != null ? respaced(counts)
                : Arrays.stream(schedule.split(",")).mapToDouble(t -> Double.parseDouble(t.strip())).toArray());
    }

    /** As many timesteps of each section as {@code counts} says, its first and last among them, from the highest down. */
    private static double[] respaced(int[] counts) {
        var timesteps = new TreeSet<Double>(Comparator.reverseOrder());
        int start = 0;
        for (int i = 0; i < counts.length; i++) {
            int length = TRAINED / counts.length + (i < TRAINED % counts.length ? 1 : 0);
            double stride = counts[i] > 1 ? (length - 1) / (double) (counts[i] - 1) : 1, at = 0;
            for (int j = 0; j < counts[i]; j++, at += stride) {
                timesteps.add(start + Math.rint(at));
            }
            start += length;
        }
        return timesteps.stream().mapToDouble(t -> t).toArray();
    }
}
