package io.sfumato.training;

import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;

/**
 * The frame of every stage of training: goes on from the stage's checkpoint, takes its steps, applies the gradients that they leave,
 * averages the weights, keeps curve, log and report, and saves. What a step computes is the stage's own.
 */
final class Loop implements AutoCloseable {
    private final Run run;
    private final String stage;
    private final Recipe.Loop recipe;
    private final long seed;
    private final Optimizer optimizer;
    private final Ema ema;
    private final Checkpoint checkpoint;
    private final Map<String, Map<String, Tensor>> state;
    private List<String> columns = List.of("loss", "gradient", "rate");

    /** What a stage does at each step. */
    @FunctionalInterface
    interface Step {
        /**
         * Leaves gradients in the parameters.
         *
         * @param step counts from 0
         * @param rng  a stream of the step's own: a resumed run draws what an unbroken one would have drawn
         */
        Taken take(long step, Rng rng);
    }

    /**
     * A step that was taken.
     *
     * @param more what the curve may show besides the loss
     * @param then what is done when the gradients have been applied
     */
    record Taken(double loss, Map<String, Double> more, Runnable then) {
        static Taken of(double loss) {
            return new Taken(loss, Map.of(), () -> { });
        }
    }

    /** A loop of {@code parameters} under the recipe's optimizer, or AdamW by default. */
    Loop(Run run, String stage, Recipe.Loop recipe, long seed, Map<String, Tensor> parameters) {
        this(run, stage, recipe, seed, parameters, recipe.optimizer(parameters, "adamw"));
    }

    /** The checkpoint and the curve have the name of the stage; the optimizer is the loop's to close. */
    Loop(Run run, String stage, Recipe.Loop recipe, long seed, Map<String, Tensor> parameters, Optimizer optimizer) {
        this.run = run;
        this.stage = stage;
        this.recipe = recipe;
        this.seed = seed;
        this.optimizer = optimizer;
        ema = new Ema(parameters, recipe.ema());
        checkpoint = new Checkpoint(run.file(stage + ".safetensors"));
        state = new LinkedHashMap<>(optimizer.moments());
        state.put("weights", parameters);
        state.put("ema", ema.average());
    }

    /** What else checkpoints hold. */
    Loop keeping(Map<String, Map<String, Tensor>> more) {
        state.putAll(more);
        return this;
    }

    /** What the curve shows of each step: {@code loss}, {@code gradient} (its norm), {@code rate}, and what steps tell. */
    Loop showing(String... names) {
        columns = List.of(names);
        return this;
    }

    /** Steps done up to the last checkpoint. */
    long done() {
        return checkpoint.steps();
    }

    /** The averaged parameters. */
    Map<String, Tensor> average() {
        return ema.average();
    }

    /** Those of {@code all}, as {@link #average} has them, whose names begin with {@code prefix}, by what follows it. */
    static Map<String, Tensor> below(String prefix, Map<String, Tensor> all) {
        Map<String, Tensor> some = new LinkedHashMap<>();
        all.forEach((name, x) -> {
            if (name.startsWith(prefix)) {
                some.put(name.substring(prefix.length()), x);
            }
        });
        return some;
    }

    /** As {@link #run(Step, Runnable, LongConsumer)} where nothing but the checkpoint is saved. */
    void run(Step work) {
        run(work, () -> { }, done -> { });
    }

    /**
     * Goes on to the last step.
     *
     * @param save  writes the model, before the checkpoint: what is done according to that is in the model too
     * @param saved gets the number of steps done, after both
     */
    void run(Step work, Runnable save, LongConsumer saved) {
        try (Journal journal = Journal.of(run, stage, done(), columns)) {
            for (long step = restore(); step < recipe.steps(); step++) {
                long began = System.nanoTime();
                try (Rng rng = new Rng(seed + step); Scope scope = new Scope()) {
                    Taken taken = work.take(step, rng);
                    addUp(state.get("weights").values());
                    double rate = recipe.rates().at(step), gradient = optimizer.step(step + 1, rate);
                    taken.then.run();
                    ema.update(step);
                    Map<String, Double> shown = new LinkedHashMap<>();
                    shown.put("loss", taken.loss);
                    shown.putAll(taken.more);
                    shown.put("gradient", gradient);
                    shown.put("rate", rate);
                    shown.put("seconds", (System.nanoTime() - began) / 1e9);
                    journal.add(step, shown);
                    run.progress().step(stage, step + 1, recipe.steps(), taken.loss);
                }
                long done = step + 1;
                if (done % recipe.saveEvery() == 0 || done == recipe.steps()) {
                    run.once(() -> {
                        save.run();
                        checkpoint.save(done, state);
                        CurveChart.draw(run.file(stage + ".csv"), run.file(stage + ".png"));
                        saved.accept(done);
                        RunReport.write(run.folder());
                    });
                }
            }
        }
    }

    /** All processes begin with what the first one has. */
    private long restore() {
        run.once(() -> checkpoint.restore(state));
        if (run.group().size() > 1) {
            state.values().forEach(group -> shared(group.values(), flat -> run.group().broadcast(flat, 0)));
        }
        return checkpoint.steps();
    }

    /** Each process has the gradients of its share of the batch, weighed by that: their sum is the gradient of the whole. */
    private void addUp(Collection<Tensor> parameters) {
        if (run.group().size() > 1) {
            shared(parameters.stream().filter(Tensor::hasGrad).map(Tensor::grad).toList(), run.group()::allReduce);
        }
    }

    // In one piece: each call among processes waits for the slowest of them.
    private static void shared(Collection<Tensor> tensors, UnaryOperator<Tensor> operation) {
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            Tensor flat = operation.apply(Tensor.cat(0, tensors.stream().map(x -> x.detach().reshape(x.numel())).toArray(Tensor[]::new)));
            long at = 0;
            for (Tensor x : tensors) {
                x.copy_(flat.narrow(0, at, x.numel()).view(x.shape()));
                at += x.numel();
            }
        }
    }

    @Override
    public void close() {
        optimizer.close();
        ema.close();
    }
}
