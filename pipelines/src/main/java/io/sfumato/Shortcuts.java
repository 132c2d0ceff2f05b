package io.sfumato;

/**
 * Ways to compute less for a picture, which becomes another one by that: none are taken unless asked for.
 *
 * @param guidanceStart share of the steps, 0 to 1, before the first one that is guided (Kynkaanniemi et al. 2024)
 * @param guidanceStop  share of the steps, from {@code guidanceStart} to 1, after which none is guided; the others cost half
 * @param deepCache     network calls of which one is computed whole, and the others by the U-Net's shallowest blocks alone, on the
 *                      features that the whole one left: 1 to 1000 (DeepCache, Ma et al. 2023)
 */
public record Shortcuts(double guidanceStart, double guidanceStop, int deepCache) {
    public Shortcuts {
        share("guidance start", guidanceStart);
        share("guidance stop", guidanceStop);
        if (deepCache < 1 || deepCache > 1000) {
            throw new IllegalArgumentException("deep cache must be 1 (none) to 1000, not " + deepCache);
        }
    }

    private static void share(String name, double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException(name + " must be 0 to 1, not " + share);
        }
    }

    /** Everything is computed. */
    public static Shortcuts none() {
        return new Shortcuts(0, 1, 1);
    }

    /** @throws IllegalArgumentException if there are any: for models that know none */
    public void requireNone() {
        if (!equals(none())) {
            throw new IllegalArgumentException("this model takes no shortcuts (guidance start and stop, deep cache): they are for Stable"
                    + " Diffusion and models in miniature");
        }
    }

    public Shortcuts withGuidanceStart(double guidanceStart) { return new Shortcuts(guidanceStart, guidanceStop, deepCache); }
    public Shortcuts withGuidanceStop(double guidanceStop) { return new Shortcuts(guidanceStart, guidanceStop, deepCache); }
    public Shortcuts withDeepCache(int deepCache) { return new Shortcuts(guidanceStart, guidanceStop, deepCache); }
}
