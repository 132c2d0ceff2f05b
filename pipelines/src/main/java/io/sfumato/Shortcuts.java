package io.sfumato;

import io.sfumato.models.unet.UNetInput;

/**
 * Ways to compute less for a picture, which becomes another one by that: none are taken unless asked for.
 *
 * @param guidanceStart share of the steps, 0 to 1, before the first one that is guided (Kynkaanniemi et al. 2024)
 * @param guidanceStop  share of the steps, from {@code guidanceStart} to 1, after which none is guided; the others cost half
 * @param deepCache     network calls of which one is computed whole, and the others by the U-Net's shallowest blocks alone, on the
 *                      features that the whole one left: 1 to 1000 (DeepCache, Ma et al. 2023)
 * @param tokenMerging  share of a feature map's places, 0 to 0.75, that attend to the others as a part of another place that they are
 *                      most like, where the map has its full size (Bolya and Hoffman 2023)
 */
public record Shortcuts(double guidanceStart, double guidanceStop, int deepCache, double tokenMerging) {
    public Shortcuts {
        share("guidance start", guidanceStart);
        share("guidance stop", guidanceStop);
        if (deepCache < 1 || deepCache > 1000) {
            throw new IllegalArgumentException("deep cache must be 1 (none) to 1000, not " + deepCache);
        }
        if (!(tokenMerging >= 0 && tokenMerging <= UNetInput.MOST_MERGED)) {
            throw new IllegalArgumentException("token merging must be 0 to " + UNetInput.MOST_MERGED + ", not " + tokenMerging);
        }
    }

    private static void share(String name, double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException(name + " must be 0 to 1, not " + share);
        }
    }

    /** Everything is computed. */
    public static Shortcuts none() {
        return new Shortcuts(0, 1, 1, 0);
    }

    /** @throws IllegalArgumentException if there are any: for models that know none */
    public void requireNone() {
        if (!equals(none())) {
            throw new IllegalArgumentException("this model takes no shortcuts (guidance start and stop, deep cache, token merging): they"
                    + " are for Stable Diffusion and models in miniature");
        }
    }

    public Shortcuts withGuidanceStart(double share) { return new Shortcuts(share, guidanceStop, deepCache, tokenMerging); }
    public Shortcuts withGuidanceStop(double share) { return new Shortcuts(guidanceStart, share, deepCache, tokenMerging); }
    public Shortcuts withDeepCache(int interval) { return new Shortcuts(guidanceStart, guidanceStop, interval, tokenMerging); }
    public Shortcuts withTokenMerging(double share) { return new Shortcuts(guidanceStart, guidanceStop, deepCache, share); }
}
