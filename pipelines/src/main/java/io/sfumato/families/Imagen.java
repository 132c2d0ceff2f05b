package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.models.imagen.ImagenNetwork;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * Imagen as its paper has it (Saharia et al. 2022): a frozen T5, a base model, Efficient U-Nets that enlarge what they see under noise of
 * a level that they are told; continuous time, zeros for no text, dynamic or static thresholding. Reads a folder with the components
 * {@code tokenizer} and {@code text_encoder} and those that {@code stages} in its {@code model_index.json} lists.
 */
final class Imagen implements TextToImage {
    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final T5Prompts prompts;
    private final List<ImagenStage> stages = new ArrayList<>();
    private final Options defaults;

    Imagen(ModelFolder folder, LoadOptions load) {
        ConfigJson index = index(folder);
        boolean stays = memory(folder, load, Prompt.of(""), Options.defaults()).total() <= MemoryEstimate.available();
        try {
            prompts = new T5Prompts(folder, load, index.integer("prompt_length", 128), stays);
            closers.push(prompts::close);
            for (String name : names(folder)) {
                ImagenStage stage = new ImagenStage(folder, name, load, stays);
                closers.push(stage::close);
                check(folder, name, stage);
                stages.add(stage);
            }
            int size = stages.get(stages.size() - 1).size();
            defaults = FolderDefaults.of(folder, Options.defaults().withSize(size, size).withSteps(64).withGuidance(5).withNoiseLevel(200));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static ConfigJson index(ModelFolder folder) {
        return ConfigJson.read(folder.path().resolve("model_index.json"));
    }

    private static List<String> names(ModelFolder folder) {
        List<String> names = index(folder).texts("stages");
        if (names.isEmpty()) {
            throw index(folder).wrong("stages", "empty", "a list of the stages' folders, the base model's first,");
        }
        return names;
    }

    private void check(ModelFolder folder, String name, ImagenStage stage) {
        ConfigJson json = folder.config(name);
        if (stage.enlarges() == stages.isEmpty()) {
            throw json.wrong("_class_name", json.text("_class_name", ""), stages.isEmpty() ? "ImagenUNet, of a first stage,"
                    : "EfficientUNet, of a stage that enlarges,");
        }
        if (!stages.isEmpty() && stage.size() <= stages.get(stages.size() - 1).size()) {
            throw json.wrong("size", stage.size(), "more than the " + stages.get(stages.size() - 1).size() + " of the stage before");
        }
        int width = T5Prompts.config(folder).width();
        if (ImagenNetwork.textWidth(json) != width) {
            throw new CheckpointException(folder.path().resolve(name) + ": its network wants text states of " + ImagenNetwork.textWidth(json)
                    + " numbers, and the text encoder gives " + width);
        }
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options wanted) {
        long weights = T5Prompts.bytes(folder, load);
        double widest = 0;
        int size = 0;
        for (String name : names(folder)) {
            ConfigJson json = folder.config(name);
            weights += ImagenStage.recipe(folder, name, load).parameters() * load.dtype().bytes();
            size = json.integer("size");
            // As wide as the first level at full size, which holds about twenty pictures of that width at once.
            widest = Math.max(widest, 20.0 * json.integer("width", 512) * size * size);
        }
        return new MemoryEstimate(wanted.count(), size, size, weights, (long) (widest * wanted.count() * 2 * load.dtype().bytes()));
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        wanted.shortcuts().requireNone();
        prompt.require(Set.of(), Set.of());
        int size = defaults.width();
        if (!List.of(Options.OF_MODEL, size).containsAll(List.of(wanted.width(), wanted.height()))) {
            throw new IllegalArgumentException("no stage makes " + wanted.width() + "x" + wanted.height() + ": this model's last one makes "
                    + size + "x" + size);
        }
        if (!wanted.sampler().equals(Options.MODELS_OWN) || !wanted.schedule().equals(Options.MODELS_OWN)) {
            throw new IllegalArgumentException("this model has one sampler of its own, ancestral in continuous time: sampler and schedule are "
                    + "left to it");
        }
        return wanted.withSize(size, size);
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> wishes, Options wanted, Listener listener, Trace trace) {
        Options o = complete(wishes.get(0), wanted);
        try (Draws draws = new Draws(o, wishes.size() * o.count()); var noGrad = new NoGrad(); var scope = new Scope()) {
            Tensor states = states(wishes, o, listener);                                            // (B or 2B, L, D)
            trace.put("text_embeddings", states);
            CascadeProgress progress = new CascadeProgress(listener, stages.size() * o.steps());
            List<Tensor> x = List.of();
            for (int i = 0; i < stages.size(); i++) {
                x = List.of(stages.get(i).draw(x, states, o.guidance(), o.noiseLevel() / 1000.0, o.steps(), draws, progress,
                        trace.under("stage" + (i + 1) + ".")));
            }
            Tensor picture = x.get(0).mul(0.5).add(0.5).clamp(0, 1);                                // (B, 3, S, S)
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** For guidance first those of the negative prompts, zeros where there is none: so the networks were trained. */
    private Tensor states(List<Prompt> wishes, Options o, Listener listener) {
        Tensor wanted = prompts.states(wishes.stream().map(Prompt::text).toList(), listener);
        if (o.guidance() <= 1) {
            return wanted.repeatInterleave(o.count(), 0);
        }
        Tensor[] rows = new Tensor[wishes.size() + 1];
        for (int i = 0; i < wishes.size(); i++) {
            String negative = wishes.get(i).negative();
            rows[i] = negative.isEmpty() ? wanted.narrow(0, i, 1).mul(0) : prompts.states(List.of(negative), listener);
        }
        rows[wishes.size()] = wanted;
        return Tensor.cat(0, rows).repeatInterleave(o.count(), 0);
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
