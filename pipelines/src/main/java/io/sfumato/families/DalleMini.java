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
import io.sfumato.io.JsonFile;
import io.sfumato.io.TensorSource;
import io.sfumato.models.dallemini.DalleBart;
import io.sfumato.models.dallemini.DalleDetokenizer;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.DalleMiniTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * DALL-E mini and mega (Dayma et al. 2021) in the layouts of min-dalle: its own folders {@code dalle_bart_mini} or
 * {@code dalle_bart_mega} beside {@code vqgan}, or the flat one that it downloads from. Guidance is what min-dalle calls the
 * supercondition factor.
 */
final class DalleMini implements TokenModel {
    private final OpenFiles files;
    private final DalleMiniTokenizer tokenizer;
    private final DalleDetokenizer pictures;
    private final DalleBart bart;
    private final LoadOptions load;

    /** Where the files are. */
    private record Layout(Path vocab, Path merges, Path encoder, Path decoder, Path detokenizer, Path config) {
        static Layout of(Path folder) {
            for (String size : List.of("dalle_bart_mega", "dalle_bart_mini")) {
                Path bart = folder.resolve(size);
                if (Files.isDirectory(bart)) {
                    return in(bart, "", folder.resolve("vqgan").resolve("detoker.pt"), folder);
                }
            }
            String ending = Files.exists(folder.resolve("encoder.pt")) ? "" : "_mini";
            return in(folder, ending, folder.resolve("detoker.pt"), folder);
        }

        private static Layout in(Path bart, String ending, Path detokenizer, Path folder) {
            return new Layout(bart.resolve("vocab" + ending + ".json"), bart.resolve("merges" + ending + ".txt"),
                    bart.resolve("encoder" + ending + ".pt"), bart.resolve("decoder" + ending + ".pt"), detokenizer,
                    folder.resolve("config.json"));
        }

        /** The flat folder's config is that of mega. */
        ConfigJson heads() {
            return Files.exists(config) && !encoder.toString().endsWith("_mini.pt") ? ConfigJson.read(config)
                    : new ConfigJson(config.toString(), JsonFile.empty());
        }
    }

    private DalleMini(Path folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            Layout layout = Layout.of(folder);
            tokenizer = new DalleMiniTokenizer(layout.vocab, layout.merges);
            TensorSource detokenizer = files.open(layout.detokenizer), encoder = files.open(layout.encoder);
            TensorSource decoder = files.open(layout.decoder);
            VqGan.Config vqConfig = DalleDetokenizer.config(detokenizer);
            DalleBart.Config config = DalleBart.Config.of(encoder, decoder, vqConfig.codes(), layout.heads());
            if (tokenizer.size() > config.textVocabulary()) {
                throw new CheckpointException(layout.vocab + ": has " + tokenizer.size() + " words, where the encoder reads "
                        + config.textVocabulary());
            }
            pictures = files.build(detokenizer, w -> new DalleDetokenizer(w, vqConfig), name -> false);
            bart = DalleBart.load(files.weights(encoder), files.weights(decoder), config);
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    static TokenDrawer load(ModelFolder folder, LoadOptions load) {
        Options defaults = Options.defaults().withGuidance(16).withPicking(Picking.defaults().withTopK(256));
        return new TokenDrawer(new DalleMini(folder.path(), load), FolderDefaults.of(folder, defaults));
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        Layout layout = Layout.of(folder.path());
        try (OpenFiles files = new OpenFiles(load)) {
            TensorSource decoder = files.open(layout.decoder);
            long layers = decoder.names().stream().filter(name -> name.endsWith("self_attn.q_proj.weight")).count();
            long numbers = decoder.names().contains("embed_positions.weight")
                    ? decoder.shape("embed_positions.weight")[0] * decoder.shape("embed_positions.weight")[1] : 0;
            return TokenMemory.of(options.count(), load, List.of(layout.encoder, layout.decoder, layout.detokenizer),
                    4 * layers * numbers * options.count());
        }
    }

    @Override
    public Codes codes() {
        return new Codes(pictures, bart.config().grid(), Nucleus.AT_MOST, true);
    }

    @Override
    public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        List<int[]> texts = prompts.stream().map(p -> ids(p.text(), listener)).toList();
        List<int[]> rows = new ArrayList<>();
        if (o.guidance() > 1) {
            for (int i = 0; i < prompts.size(); i++) {
                int[] text = texts.get(i);
                // As in min-dalle: the first id and the last, which is not the end where the text was cut.
                rows.add(prompts.get(i).negative().isEmpty() ? new int[] {text[0], text[text.length - 1]}
                        : ids(prompts.get(i).negative(), listener));
            }
        }
        rows.addAll(texts);
        int length = bart.config().textLength();
        Tensor ids = Tensor.stack(0, rows.stream().map(row -> padded(row, length)).toArray(Tensor[]::new)).to(load.device());
        Tensor mask = DalleBart.mask(ids, tokenizer.pad());
        Tensor state = bart.encode(ids, mask);
        trace.put("text_embeddings", state);
        DalleBart.Config c = bart.config();
        long pictures = ids.size(0) * o.count();
        DalleBart.Memory memory = bart.memory(state, mask).repeated(o.count());
        KvCache cache = new KvCache(c.decoderLayers(), pictures, c.decoderHeads(), c.width() / c.decoderHeads(), c.length(), state);
        // The rows beyond the codes are never drawn.
        CachedReader.Logits logits = (tokens, place) ->
                bart.decode(tokens.to(load.device()), place, memory, cache::layer).select(1, 0).narrow(1, 0, c.codes());
        return guided(new CachedReader(cache, () -> logits.after(Tensor.of(c.start()).expand(pictures, 1), 0), logits), o);
    }

    private int[] ids(String text, Listener listener) {
        int[] ids = tokenizer.ids(text);
        int length = bart.config().textLength();
        if (ids.length > length) {
            listener.onWarning("the prompt has " + ids.length + " tokens, of which " + length + " are read");
        }
        return Arrays.copyOf(ids, Math.min(length, ids.length));
    }

    private Tensor padded(int[] ids, int length) {
        int[] row = Arrays.copyOf(ids, length);
        Arrays.fill(row, ids.length, length, tokenizer.pad());
        return Tensor.of(row);
    }

    @Override
    public void close() {
        files.close();
    }
}
