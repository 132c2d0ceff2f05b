package io.sfumato.diffusion;

/**
 * The noise levels at which a network is guided (Kynkaanniemi et al. 2024, formula 5), by their timesteps: those above {@code above}, up
 * to {@code upTo}.
 */
public record GuidanceInterval(double above, double upTo) {

    /**
     * From the share {@code start} of the calls that are made to the share {@code stop}, both in [0, 1] and cut to whole calls: of ten,
     * 0.25 and 0.75 guide calls 2 to 6, counted from 0. 0 and 1 guide every call, equal shares none.
     *
     * @throws IllegalArgumentException if it would stop before it starts
     */
    public static GuidanceInterval of(Grid grid, double start, double stop) {
        if (start > stop) {
            throw new IllegalArgumentException("guidance start " + start + " lies behind guidance stop " + stop);
        }
        int made = grid.calls() - grid.start();
        return new GuidanceInterval(boundary(grid, (int) (stop * made)),
                start == 0 ? Double.POSITIVE_INFINITY : boundary(grid, (int) (start * made)));
    }

    private static double boundary(Grid grid, int made) {
        int call = grid.start() + made;
        return call == grid.calls() ? Double.NEGATIVE_INFINITY : grid.timestep(call);
    }

    public boolean contains(double timestep) {
        return timestep > above && timestep <= upTo;
    }
}
