package io.sfumato.families;

import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.families.DeepFloydStage.Canvas;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * DeepFloyd IF, the open Imagen (Saharia et al. 2022): T5 reads the prompt, a first stage draws small pixels, further ones enlarge them.
 * Reads the folder of one stage, a folder of such folders, or several in order; a last one may be Stable Diffusion's enlarger. Where the
 * stages together do not fit into memory, each is let go before the next.
 */
final class DeepFloyd implements TextToImage {
    /** Ids of a prompt, as the models were trained. */
    private static final int PROMPT_LENGTH = 77;
    /** Steps of the first stage and of later ones as published, and the guidance of the later ones. */
    private static final int STEPS = 100;
    private static final int LATER_STEPS = 50;
    private static final double LATER_GUIDANCE = 4;
    private static final int LATER_NOISE = 250;

    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final DeepFloydFolders folders;
    private final LoadOptions load;
    private final T5Prompts prompts;
    private final List<DeepFloydStage> stages = new ArrayList<>();
    private final Options defaults;

    DeepFloyd(ModelFolder folder, LoadOptions load) {
        this(DeepFloydFolders.of(folder), load, DeepFloydMemory.fitTogether(DeepFloydFolders.of(folder), load));
    }

    /** @param stays whether all networks are held; otherwise each is read when its turn comes and let go before the next */
    DeepFloyd(DeepFloydFolders folders, LoadOptions load, boolean stays) {
        this.load = load;
        this.folders = folders;
        try {
            prompts = new T5Prompts(folders.text(), load, PROMPT_LENGTH, stays);
            closers.push(prompts::close);
            int width = T5Prompts.config(folders.text()).width();
            for (ModelFolder each : folders.stages()) {
                DeepFloydStage stage = new DeepFloydStage(each, load, stays);
                closers.push(stage::close);
                stages.add(stage);
                if (stage.config().pooledWidth() != width) {
                    throw new CheckpointException(each.path() + ": its U-Net wants text states of " + stage.config().pooledWidth()
                            + " numbers, and the text encoder in " + folders.text().path() + " gives " + width);
                }
            }
            boolean enlarges = stages.get(0).enlarges();
            defaults = FolderDefaults.of(folders.stages().get(0), Options.defaults().withSteps(enlarges ? LATER_STEPS : STEPS)
                    .withGuidance(enlarges ? LATER_GUIDANCE : 7).withNoiseLevel(LATER_NOISE)
                    .withSize(folders.largest(), folders.largest()).withSampler(stages.get(0).scheduler().className()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        wanted.shortcuts().requireNone();
        if (stages.get(0).enlarges()) {
            prompt.require(Set.of(INIT), Set.of(INIT));
        } else {
            prompt.require(Set.of(INIT, MASK), Set.of());
        }
        if (wanted.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + wanted.clipSkip() + ": this model's text encoder is T5, of which no layer is "
                    + "left out");
        }
        Options o = folders.sized(prompt, wanted);
        for (int i = 0; i < stages.size(); i++) {
            Options own = ofStage(i, prompt, o);
            if (prompt.has(INIT) && !stages.get(0).enlarges()) {
                DeepFloydStage.from(stages.get(i).sampling(own), o.strength(prompt));
            } else {
                stages.get(i).sampling(own);
            }
        }
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(defaults.sampler()) : o;
    }

    /** The options of a stage: later ones have the published guidance, and steps in proportion to the published ones. */
    private Options ofStage(int i, Prompt prompt, Options o) {
        List<int[]> sizes = folders.sizes(prompt, o);
        Options own = o.withSize(sizes.get(i)[0], sizes.get(i)[1]);
        if (i == 0) {
            return own;
        }
        int steps = (int) Math.max(1, Math.round(o.steps() * LATER_STEPS / (double) (stages.get(0).enlarges() ? LATER_STEPS : STEPS)));
        return own.withSteps(steps).withGuidance(o.guidance() > 1 ? LATER_GUIDANCE : o.guidance()).withSchedule(Options.MODELS_OWN)
                .withSampler(o.sampler().equals(defaults.sampler()) ? Options.MODELS_OWN : o.sampler());
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> wishes, Options wanted, Listener listener, Trace trace) {
        Options o = complete(wishes.get(0), wanted);
        Prompt.requireAlike(wishes);
        try (Draws draws = new Draws(o, wishes.size() * o.count()); var noGrad = new NoGrad(); var scope = new Scope()) {
            Tensor states = encode(wishes, o, listener);                                            // (B or 2B, L, D)
            trace.put("text_embeddings", states);
            CascadeProgress progress = new CascadeProgress(listener, steps(wishes.get(0), o));
            Tensor x = Tensor.zeros();
            for (int i = 0; i < stages.size(); i++) {
                Options own = ofStage(i, wishes.get(0), o);
                Canvas canvas = canvas(i, wishes, own, x);
                x = stages.get(i).draw(canvas, own, o.strength(wishes.get(0)), new DeepFloydStage.Run(states, draws, progress),
                        trace.under(folders.name(i)));
            }
            if (folders.all() == 1) {
                plainNames(trace);
            }
            Tensor picture = folders.enlarger().isEmpty() ? x.mul(0.5).add(0.5).clamp(0, 1)
                    : enlarge(wishes, x, o, draws, progress, trace.under(folders.name(stages.size())));       // (B, 3, H, W)
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** A lone stage is also recorded under the names that every model's trace has. */
    private void plainNames(Trace trace) {
        String prefix = folders.name(0);
        List.copyOf(trace.tensors().keySet()).stream().filter(name -> name.startsWith(prefix))
                .forEach(name -> trace.put(name.substring(prefix.length()), trace.tensors().get(name)));
    }

    private Tensor encode(List<Prompt> wishes, Options o, Listener listener) {
        Stream<String> texts = wishes.stream().map(Prompt::text);
        List<String> all = (o.guidance() > 1 ? Stream.concat(wishes.stream().map(Prompt::negative), texts) : texts)
                .map(CaptionCleaning::clean).toList();
        return prompts.states(all, listener).repeatInterleave(o.count(), 0);
    }

    private int steps(Prompt prompt, Options o) {
        int steps = 0;
        for (int i = 0; i < stages.size(); i++) {
            var sampling = stages.get(i).sampling(ofStage(i, prompt, o));
            boolean over = prompt.has(INIT) && !stages.get(0).enlarges();
            sampling = over ? DeepFloydStage.from(sampling, o.strength(prompt)) : sampling;
            steps += sampling.grid().calls() - sampling.grid().start();
        }
        return steps + (folders.enlarger().isEmpty() ? 0 : enlargerOptions(o).steps());
    }

    private Canvas canvas(int i, List<Prompt> wishes, Options own, Tensor before) {
        boolean first = i == 0;
        if (stages.get(0).enlarges()) {
            return Canvas.BLANK.withLow(first ? rows(wishes, own, INIT, true) : before);
        }
        boolean over = wishes.get(0).has(INIT), masked = wishes.get(0).has(MASK);
        Canvas canvas = new Canvas(List.of(), over ? List.of(rows(wishes, own, INIT, false)) : List.of(),
                masked ? List.of(rows(wishes, own, MASK, false)) : List.of());
        return first ? canvas : canvas.withLow(before);
    }

    /** The prompts' pictures, {@code count} times each: (B, 3 or 1, H, W), of their own size or of the stage's. */
    private static Tensor rows(List<Prompt> wishes, Options own, Prompt.Role role, boolean ownSize) {
        Tensor[] rows = wishes.stream().map(wish -> {
            Image picture = wish.picture(role);
            int width = ownSize ? picture.width() : own.width(), height = ownSize ? picture.height() : own.height();
            return role == MASK ? DeepFloydPixels.mask(picture, width, height) : DeepFloydPixels.of(picture, width, height);
        }).toArray(Tensor[]::new);
        return Tensor.cat(0, rows).repeatInterleave(own.count(), 0);
    }

    private Options enlargerOptions(Options o) {
        return Options.defaults().withSteps(Math.max(1, Math.round(o.steps() * 0.75f))).withGuidance(o.guidance() > 1 ? 9 : 1)
                .withNoiseLevel(100);
    }

    /** By Stable Diffusion's enlarger, read for the while. */
    private Tensor enlarge(List<Prompt> wishes, Tensor small, Options o, Draws draws, CascadeProgress progress, Trace trace) {
        List<Prompt> each = wishes.stream().flatMap(wish -> Collections.nCopies(o.count(),
                Prompt.of(wish.text()).withNegative(wish.negative())).stream()).toList();
        try (var enlarger = new StableDiffusion(folders.enlarger().get(0), load)) {
            return enlarger.enlarge(each, small, enlargerOptions(o), draws, progress.rest(), trace);
        }
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
