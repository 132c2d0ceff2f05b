package io.sfumato;

/**
 * Ways to compute less for a picture, which becomes another one by that: none are taken unless asked for.
 *
 * @param guidanceStart share of the steps, 0 to 1, before the first one that is guided (Kynkaanniemi et al. 2024)
 * @param guidanceStop  share of the steps, from {@code guidanceStart} to 1, after which none is guided; the others cost half
 */
public record Shortcuts(double guidanceStart, double guidanceStop) {
    public Shortcuts {
        share("guidance start", guidanceStart);
        share("guidance stop", guidanceStop);
    }

    private static void share(String name, double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException(name + " must be 0 to 1, not " + share);
        }
    }

    /** Everything is computed. */
    public static Shortcuts none() {
        return new Shortcuts(0, 1);
    }

    /** @throws IllegalArgumentException if there are any: for models that know none */
    public void requireNone() {
        if (!equals(none())) {
            throw new IllegalArgumentException("this model takes no shortcuts: guidance start and stop are for Stable Diffusion and"
                    + " models in miniature");
        }
    }

    public Shortcuts withGuidanceStart(double guidanceStart) { return new Shortcuts(guidanceStart, guidanceStop); }
    public Shortcuts withGuidanceStop(double guidanceStop) { return new Shortcuts(guidanceStart, guidanceStop); }
}
