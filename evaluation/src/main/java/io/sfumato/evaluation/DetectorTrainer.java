package io.sfumato.evaluation;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.AdamW;
import io.sfumato.training.Progress;
import io.sfumato.training.Schedule;
import io.sfumato.training.Shards;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Box;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Trains a {@link Detector} on scenes of every split, so that no combination is new to it, blurred and under noise by a random amount
 * each, so that the softness of generated pictures is not either. Loss: the penalty-reduced focal loss of centres (CenterNet,
 * equation 1), the absolute error of boxes and the cross entropy of colours that have a name, both at true centres.
 *
 * @param firstIndex of the scenes in each split: the detector need not see the scenes that the model saw
 */
public record DetectorTrainer(long steps, int batch, double rate, long firstIndex) {
    private static final List<Split> SPLITS = List.of(Split.TRAINING, Split.UNSEEN_COLOURS, Split.TRAINING, Split.UNSEEN_PAIRS);
    private static final double BOX_WEIGHT = 4;
    private static final double COLOUR_WEIGHT = 0.5;
    private static final int AREA = Detector.CELLS * Detector.CELLS;

    /** What the bundled one was trained with. */
    public static DetectorTrainer standard() {
        return new DetectorTrainer(3600, 32, 0.003, Split.FIRST_HELD_OUT / 2);
    }

    /** Trains a fresh detector of the world's nouns, on scenes of 64 pixels; the caller closes it. */
    public Detector train(WorldConfig config, ClipArt art, long seed, Progress progress) {
        World world = new World(config, art);
        return train(world, Detector.Config.standard(world.nouns()), seed, progress);
    }

    Detector train(World world, Detector.Config config, long seed, Progress progress) {
        try (Rng init = new Rng(seed)) {
            Weights weights = Weights.init(init, Device.CPU);
            Detector detector = new Detector(weights, config);
            Schedule schedule = new Schedule(rate, Math.min(steps / 10, 50), steps);
            try (AdamW optimizer = new AdamW(weights.parameters(), 0.01, 5); Shards shards = new Shards(batch)) {
                for (long step = 0; step < steps; step++) {
                    try (Rng rng = new Rng(seed + 1 + step); Scope scope = new Scope()) {
                        long first = firstIndex + step * batch;
                        List<Scene> scenes = IntStream.range(0, batch).parallel()
                                .mapToObj(i -> world.scene(SPLITS.get(i % SPLITS.size()), first + i)).toList();
                        Tensor x = SceneClassifierTrainer.softened(Pictures.tensor(Pictures.ofWorld(scenes), Detector.SIZE), rng);
                        double loss = shards.backward(batch, (from, count) -> loss(detector.forward(x.narrow(0, from, count)),
                                Targets.of(scenes.subList(from, from + count), world.nouns())));
                        optimizer.step(step + 1, schedule.at(step));
                        progress.step("detector", step + 1, steps, loss);
                    }
                }
                return detector;
            } catch (RuntimeException e) {
                detector.close();
                throw e;
            }
        }
    }

    /** What the maps should be: heat (B, nouns, 16, 16) around centres; of each thing its cell in (B * 16 * 16), box and colour. */
    record Targets(float[] heat, long[] shape, List<Long> cells, List<float[]> boxes, List<Long> colours, List<Float> named) {
        static Targets of(List<Scene> scenes, List<String> nouns) {
            Targets targets = new Targets(new float[scenes.size() * nouns.size() * AREA],
                    new long[] {scenes.size(), nouns.size(), Detector.CELLS, Detector.CELLS}, new ArrayList<>(), new ArrayList<>(),
                    new ArrayList<>(), new ArrayList<>());
            for (int i = 0; i < scenes.size(); i++) {
                for (Scene.Thing thing : scenes.get(i).things()) {
                    Scene.Group group = scenes.get(i).groups().get(thing.group());
                    targets.add(i, nouns.indexOf(group.noun()), thing.box(), group);
                }
            }
            return targets;
        }

        private void add(int picture, int noun, Box box, Scene.Group group) {
            int cells = Detector.CELLS;
            double x = Math.min(cells - 0.001, Math.max(0, box.centreX() * cells));
            double y = Math.min(cells - 0.001, Math.max(0, box.centreY() * cells));
            int column = (int) x, row = (int) y;
            int map = (int) (picture * shape[1] + noun) * AREA;
            double sigmaX = Math.max(0.6, box.width() * cells / 7), sigmaY = Math.max(0.6, box.height() * cells / 7);
            for (int cell = 0; cell < AREA; cell++) {
                double dx = (cell % cells - column) / sigmaX, dy = (cell / cells - row) / sigmaY;
                heat[map + cell] = Math.max(heat[map + cell], (float) Math.exp(-(dx * dx + dy * dy) / 2));
            }
            this.cells.add((long) picture * AREA + row * cells + column);
            boxes.add(new float[] {(float) box.width(), (float) box.height(), (float) (x - column), (float) (y - row)});
            colours.add(group.hasColour() ? (long) group.paint().ordinal() : 0L);
            named.add(group.hasColour() ? 1f : 0f);
        }
    }

    static Tensor loss(Detector.Maps maps, Targets targets) {
        int things = targets.cells().size();
        Tensor heat = Tensor.of(targets.heat(), targets.shape());                                           // (B, nouns, 16, 16)
        Tensor centre = heat.eq(1).to(heat);
        Tensor p = maps.centres().sigmoid().clamp(1e-4, 1 - 1e-4), not = p.neg().add(1);
        Tensor hits = not.square().mul(p.log()).mul(centre);
        Tensor misses = heat.neg().add(1).pow(4).mul(p.square()).mul(not.log());                            // zero at centres
        Tensor loss = hits.add(misses).sum().neg();

        Tensor cells = Tensor.of(targets.cells().stream().mapToLong(c -> c).toArray(), things);
        float[] boxes = new float[things * 4], named = new float[things];
        for (int i = 0; i < things; i++) {
            System.arraycopy(targets.boxes().get(i), 0, boxes, 4 * i, 4);
            named[i] = targets.named().get(i);
        }
        Tensor box = at(maps.boxes(), cells).sigmoid().sub(Tensor.of(boxes, things, 4)).abs().sum();
        Tensor colour = Tensor.of(targets.colours().stream().mapToLong(c -> c).toArray(), things, 1);
        Tensor paint = at(maps.colours(), cells).logSoftmax(1).gather(1, colour).squeeze(1).mul(Tensor.of(named, things)).sum().neg();
        return loss.add(box.mul(BOX_WEIGHT)).add(paint.mul(COLOUR_WEIGHT)).div(Math.max(1, things));
    }

    /** Rows (things, C) of a map (B, C, 16, 16). */
    private static Tensor at(Tensor map, Tensor cells) {
        return map.permute(0, 2, 3, 1).reshape(-1, map.size(1)).indexSelect(0, cells);
    }
}
