package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Picking;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Nucleus;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.models.llamagen.LlamaGen;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.T5Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * LlamaGen (Sun et al. 2024): a Llama that draws a class or a caption. Reads a folder with its files as published: a GPT
 * ({@code c2i_L_256.pt}, {@code t2i_XL_stage1_256.pt}), a tokenizer ({@code vq_ds16_c2i.pt}), for captions a folder with FLAN-T5
 * ({@code t5} or {@code flan-t5-xl}), and, where sizes are not the published ones, its model arguments as {@code config.json}. The
 * prompt of a class model is the class's number.
 */
final class LlamaGenImages implements TokenModel {
    private static final Pattern PIXELS = Pattern.compile("_(\\d{3,4})\\b");

    private final OpenFiles files;
    private final LoadOptions load;
    private final VqGan pictures;
    private final LlamaGen gpt;
    private final List<Texts> texts;

    /** FLAN-T5, of caption models. */
    private record Texts(T5Tokenizer tokenizer, T5Encoder encoder) {
    }

    private LlamaGenImages(Path folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            TensorSource vq = files.open(file(folder, "vq[^/]*")), model = files.open(file(folder, "(gpt|c2i|t2i)[^/]*"));
            VqGan.Config vqConfig = VqGan.Config.llamaGen(vq);
            LlamaGen.Config config = config(folder, model, 1 << (vqConfig.widths().length - 1));
            if (vqConfig.codes() != config.codes()) {
                throw new CheckpointException(folder + ": the tokenizer has " + vqConfig.codes() + " codes, but the GPT writes "
                        + config.codes());
            }
            pictures = files.build(vq, w -> new VqGan(w, vqConfig), VqGan::isExtra);
            gpt = files.build(model, w -> new LlamaGen(w, config), name -> name.equals("freqs_cis"));
            texts = config.condition() instanceof LlamaGen.Captions c ? List.of(texts(folder, c)) : List.of();
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    private static LlamaGen.Config config(Path folder, TensorSource model, int factor) {
        Path json = folder.resolve("config.json");
        if (Files.exists(json)) {
            return LlamaGen.Config.of(ConfigJson.read(json));
        }
        // As published: t2i_XL_stage2_512.pt draws 512 pixels.
        Matcher pixels = PIXELS.matcher(model.description().replaceFirst("\\.[a-z]+$", ""));
        int side = 256;
        while (pixels.find()) {
            side = Integer.parseInt(pixels.group(1));
        }
        return LlamaGen.Config.of(model, side / factor);
    }

    private static Path file(Path folder, String name) {
        try (Stream<Path> all = Files.list(folder)) {
            // The same weights in two formats are one file: the mapped one.
            List<Path> found = List.copyOf(all.filter(f -> f.getFileName().toString().matches(name + "\\.(pt|safetensors)")).sorted()
                    .collect(Collectors.toMap(f -> f.toString().replaceFirst("\\.[a-z]+$", ""), f -> f, (pt, mapped) -> mapped,
                            TreeMap::new)).values());
            if (found.size() != 1) {
                throw new CheckpointException(folder + ": has " + found.size() + " files named " + name.replace("[^/]*", "*")
                        + ".pt or .safetensors, where one is wanted: " + found.stream().map(Path::getFileName).toList());
            }
            return found.get(0);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private Texts texts(Path folder, LlamaGen.Captions captions) {
        Path t5 = Stream.of("t5", "flan-t5-xl", "text_encoder").map(folder::resolve).filter(Files::isDirectory).findFirst()
                .orElseThrow(() -> new CheckpointException(folder + ": captions are read by FLAN-T5: a folder 't5' or 'flan-t5-xl' with it"
                        + " is wanted"));
        T5Encoder.Config config = T5Encoder.Config.of(ConfigJson.read(t5.resolve("config.json")));
        if (config.width() != captions.width()) {
            throw new CheckpointException(t5 + ": its states are " + config.width() + " wide (d_model), where the GPT reads "
                    + captions.width());
        }
        Path weights = Stream.of("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
                .map(t5::resolve).filter(Files::exists).findFirst()
                .orElseThrow(() -> new CheckpointException(t5 + ": there is no model.safetensors or pytorch_model.bin, nor an index"));
        return new Texts(T5Tokenizer.load(t5), files.build(files.open(weights), w -> new T5Encoder(w, config), T5Encoder::isExtra));
    }

    static LlamaGenImages open(ModelFolder folder, LoadOptions load) {
        return new LlamaGenImages(folder.path(), load);
    }

    static TokenDrawer load(ModelFolder folder, LoadOptions load) {
        LlamaGenImages model = open(folder, load);
        boolean captions = !model.texts.isEmpty();
        Options defaults = Options.defaults().withGuidance(captions ? 7.5 : 4)
                .withPicking(Picking.defaults().withTopK(captions ? 1000 : 2000));
        return new TokenDrawer(model, FolderDefaults.of(folder, defaults));
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        Path vq = file(folder.path(), "vq[^/]*"), model = file(folder.path(), "(gpt|c2i|t2i)[^/]*");
        try (OpenFiles files = new OpenFiles(load)) {
            LlamaGen.Config c = config(folder.path(), files.open(model), 1 << (VqGan.Config.llamaGen(files.open(vq)).widths().length - 1));
            long tokens = 2L * options.count() * (c.condition().slots() + c.length());
            return TokenMemory.of(options.count(), load, List.of(vq, model), 2L * c.layers() * c.kvHeads() * c.headWidth() * tokens);
        }
    }

    @Override
    public Codes codes() {
        return new Codes(pictures, gpt.config().grid(), Nucleus.AT_MOST, true);
    }

    @Override
    public void check(Prompt prompt) {
        if (gpt.config().condition() instanceof LlamaGen.Classes classes
                && !(prompt.text().matches("\\d{1,9}") && Integer.parseInt(prompt.text()) < classes.count())) {
            throw new IllegalArgumentException("this model draws classes: a number from 0 to " + (classes.count() - 1)
                    + " is wanted as the prompt, not '" + prompt.text() + "'");
        }
    }

    @Override
    public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        if (texts.isEmpty()) {
            Tensor labels = Tensor.of(prompts.stream().mapToInt(p -> Integer.parseInt(p.text())).toArray());
            return classReader(labels, o);
        }
        List<Tensor> features = new ArrayList<>(), masks = new ArrayList<>();
        for (Prompt prompt : prompts) {
            encode(prompt.text(), listener, features, masks);
        }
        Tensor all = Tensor.cat(0, features.toArray(Tensor[]::new));
        trace.put("text_embeddings", all);
        return captionReader(all, Tensor.cat(0, masks.toArray(Tensor[]::new)), o);
    }

    /** Draws classes (P). */
    TokenReader classReader(Tensor labels, Options o) {
        return reader(gpt.condition(labels), Tensor.ones(labels.size(0), 1), o);
    }

    /** Draws captions, given as text states (P, slots, C) and whether each is seen, (P, slots). */
    TokenReader captionReader(Tensor features, Tensor visible, Options o) {
        return reader(gpt.condition(features), visible, o);
    }

    private TokenReader reader(Tensor given, Tensor seen, Options o) {
        LlamaGen.Config c = gpt.config();
        boolean guided = o.guidance() > 1;
        // The empty caption is hidden behind the mask of the given one.
        Tensor condition = guided ? Tensor.cat(0, gpt.emptyCondition(given.size(0)), given) : given;
        Tensor visible = guided ? seen.repeat(2, 1) : seen, visibleByAll = visible.repeatInterleave(o.count(), 0);
        int slots = (int) condition.size(1);
        KvCache cache = new KvCache(c.layers(), visibleByAll.size(0), c.kvHeads(), c.headWidth(), c.condition().slots() + c.length(),
                condition);
        return guided(new CachedReader(cache, () -> {
            Tensor x = gpt.forward(condition, 0, LlamaGen.mask(visible, 0, slots), cache::layer);
            return gpt.logits(x.select(1, slots - 1)).repeatInterleave(o.count(), 0);
        }, (tokens, place) -> {
            int at = slots + place - 1;
            Tensor x = gpt.embed(tokens.to(load.device()));
            return gpt.logits(gpt.forward(x, at, LlamaGen.mask(visibleByAll, at, 1), cache::layer).select(1, 0));
        }), o);
    }

    /** As LlamaGen was trained: the text is cleaned as DeepFloyd IF's are, stands at the end of its slots, and nothing is in the others. */
    private void encode(String text, Listener listener, List<Tensor> features, List<Tensor> masks) {
        int slots = gpt.config().condition().slots();
        T5Tokenizer.Encoded encoded = texts.get(0).tokenizer().encode(CaptionCleaning.clean(text), slots);
        if (!encoded.cutOff().isEmpty()) {
            listener.onWarning("the prompt has more than " + slots + " tokens; cut off: " + encoded.cutOff());
        }
        Tensor mask = Tensor.of(encoded.mask()).unsqueeze(0);                                               // (1, slots)
        Tensor states = texts.get(0).encoder().forward(Tensor.of(encoded.ids()).unsqueeze(0).to(load.device()), mask.to(load.device()));
        Tensor seen = states.narrow(1, 0, encoded.count()), hidden = states.narrow(1, encoded.count(), slots - encoded.count());
        features.add(Tensor.cat(1, hidden.mul(0), seen));
        masks.add(mask.flip(1));
    }

    @Override
    public void close() {
        files.close();
    }
}
