package io.sfumato.evaluation;

import io.sfumato.evaluation.Detector.Detection;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.world.Box;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads detections off a batch of maps: a cell that no neighbour exceeds is a centre (CenterNet, section 4.1), and where two nouns claim
 * the same box the surer one has it.
 *
 * @param centres (B, nouns, 16, 16), 0 to 1
 * @param colours (B, colours, 16, 16)
 * @param boxes   (B, 4, 16, 16), 0 to 1
 */
record Peaks(List<String> nouns, float[] centres, float[] colours, float[] boxes) {
    private static final int CELLS = Detector.CELLS;
    private static final int AREA = CELLS * CELLS;
    private static final double THRESHOLD = 0.35;
    private static final double SAME_BOX = 0.5;

    /** The detections in one picture, the surest first. */
    List<Detection> of(int picture) {
        List<Detection> peaks = new ArrayList<>();
        for (int noun = 0; noun < nouns.size(); noun++) {
            int map = (picture * nouns.size() + noun) * AREA;
            for (int cell = 0; cell < AREA; cell++) {
                if (centres[map + cell] >= THRESHOLD && isPeak(map, cell)) {
                    peaks.add(new Detection(centres[map + cell], nouns.get(noun), colour(picture, cell), box(picture, cell)));
                }
            }
        }
        peaks.sort(Comparator.comparingDouble(Detection::score).reversed());
        List<Detection> kept = new ArrayList<>();
        for (Detection peak : peaks) {
            if (kept.stream().noneMatch(k -> overlap(k.box(), peak.box()) > SAME_BOX)) {
                kept.add(peak);
            }
        }
        return kept;
    }

    private boolean isPeak(int map, int cell) {
        int x = cell % CELLS, y = cell / CELLS;
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                int other = (y + dy) * CELLS + x + dx;
                boolean inside = x + dx >= 0 && x + dx < CELLS && y + dy >= 0 && y + dy < CELLS;
                // Of two equal neighbours the first is the peak.
                if (inside && (centres[map + other] > centres[map + cell] || other < cell && centres[map + other] == centres[map + cell])) {
                    return false;
                }
            }
        }
        return true;
    }

    private Colour colour(int picture, int cell) {
        Colour[] all = Colour.values();
        int best = 0;
        for (int i = 1; i < all.length; i++) {
            int map = picture * all.length * AREA + cell;
            best = colours[map + i * AREA] > colours[map + best * AREA] ? i : best;
        }
        return all[best];
    }

    private Box box(int picture, int cell) {
        int at = picture * 4 * AREA + cell;
        double width = boxes[at], height = boxes[at + AREA];
        double x = (cell % CELLS + boxes[at + 2 * AREA]) / CELLS, y = (cell / CELLS + boxes[at + 3 * AREA]) / CELLS;
        return new Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
    }

    /** Intersection over union. */
    private static double overlap(Box a, Box b) {
        double width = Math.min(a.right(), b.right()) - Math.max(a.left(), b.left());
        double height = Math.min(a.bottom(), b.bottom()) - Math.max(a.top(), b.top());
        double shared = Math.max(0, width) * Math.max(0, height);
        return shared / (a.width() * a.height() + b.width() * b.height() - shared);
    }
}
