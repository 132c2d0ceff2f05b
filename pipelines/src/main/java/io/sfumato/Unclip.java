package io.sfumato;

/**
 * How a model that draws by way of an image embedding (unCLIP: Karlo, Kandinsky) samples that embedding, and how it enlarges.
 *
 * @param priorSteps     sampling steps of the prior, 2 to 1000
 * @param priorGuidance  classifier-free guidance scale of the prior; 1 or less is none
 * @param enlargingSteps sampling steps of a network that enlarges, 2 to 1000
 * @param likeness       share of a picture to vary in the image embedding, 0 to 1; the rest is the prompt's
 */
public record Unclip(int priorSteps, double priorGuidance, int enlargingSteps, double likeness) {
    public Unclip {
        within("prior steps", priorSteps);
        within("enlarging steps", enlargingSteps);
        if (!Double.isFinite(priorGuidance)) {
            throw new IllegalArgumentException("prior guidance must be a number, not " + priorGuidance);
        }
        if (!(likeness >= 0 && likeness <= 1)) {
            throw new IllegalArgumentException("likeness must be 0 to 1, not " + likeness);
        }
    }

    private static void within(String name, int steps) {
        if (steps < 2 || steps > 1000) {
            throw new IllegalArgumentException(name + " must be 2 to 1000, not " + steps);
        }
    }

    /** As published: 25 steps with guidance 4, then 7; a picture to vary is all that is drawn from. */
    public static Unclip defaults() {
        return new Unclip(25, 4, 7, 1);
    }

    public Unclip withPriorSteps(int priorSteps) { return new Unclip(priorSteps, priorGuidance, enlargingSteps, likeness); }
    public Unclip withPriorGuidance(double priorGuidance) { return new Unclip(priorSteps, priorGuidance, enlargingSteps, likeness); }
    public Unclip withEnlargingSteps(int enlargingSteps) { return new Unclip(priorSteps, priorGuidance, enlargingSteps, likeness); }
    public Unclip withLikeness(double likeness) { return new Unclip(priorSteps, priorGuidance, enlargingSteps, likeness); }
}
