package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Nucleus;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.models.parti.Parti;
import io.sfumato.models.parti.SuperResolution;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Parti (Yu et al. 2022): an encoder reads the text, a decoder writes the codes of a picture. Parti was not published: its folders are this
 * project's own, {@code PartiPipeline} with {@code transformer}, {@code tokenizer}, {@code vq} (any tokenizer of pictures) and, where
 * pictures are enlarged, {@code super_resolution}.
 */
final class PartiPictures implements TokenModel {
    private final OpenFiles files;
    private final LoadOptions load;
    private final TextIds texts;
    private final PictureTokenizer pictures;
    private final Parti parti;

    private PartiPictures(ModelFolder folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            Parti.Config config = Parti.Config.of(folder.config("transformer"));
            texts = TextIds.load(folder.folder("tokenizer"));
            PictureTokenizer tokenizer = PictureTokenizers.read(files, folder.folder("vq"));
            requireFit(folder, texts.size(), config.vocabulary(), tokenizer.codes(), config.codes());
            parti = files.build(files.hold(folder.weights("transformer")), w -> new Parti(w, config), name -> false);
            pictures = Files.isDirectory(folder.path().resolve("super_resolution")) ? enlarged(folder, tokenizer) : tokenizer;
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    /** @throws CheckpointException if a model's tokenizers are not those that it was trained with */
    static void requireFit(ModelFolder folder, int words, int vocabulary, int written, int codes) {
        Path path = folder.path();
        if (words > vocabulary) {
            throw new CheckpointException(path + ": the tokenizer has " + words + " pieces with padding, where the transformer reads "
                    + vocabulary + " (vocabulary)");
        }
        if (written != codes) {
            throw new CheckpointException(path + ": the tokenizer of pictures has " + written + " codes, where the transformer writes "
                    + codes + " (codes)");
        }
    }

    private PictureTokenizer enlarged(ModelFolder folder, PictureTokenizer tokenizer) {
        ConfigJson json = folder.config("super_resolution");
        SuperResolution.Config config = new SuperResolution.Config(json.integer("layers"), json.integer("width"), json.integer("wide"),
                json.integer("rounds"));
        return new Enlarged(tokenizer, files.build(files.hold(folder.weights("super_resolution")), w -> new SuperResolution(w, config),
                name -> false), config.factor());
    }

    static TokenDrawer load(ModelFolder folder, LoadOptions load) {
        // The paper's guidance on COCO (4.3).
        return new TokenDrawer(new PartiPictures(folder, load), FolderDefaults.of(folder, Options.defaults().withGuidance(1.2)));
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        Parti.Config c = Parti.Config.of(folder.config("transformer"));
        try (var source = folder.weights("transformer")) {
            long tokens = 2L * options.count() * (c.length() + c.textLength());
            return TokenMemory.of(options.count(), load, TokenMemory.numbers(source), 2L * c.decoderLayers() * c.width() * tokens);
        }
    }

    @Override
    public Codes codes() {
        return new Codes(pictures, parti.config().grid(), Nucleus.BELOW, true);
    }

    @Override
    public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        Tensor ids = texts.encode(prompts.stream().map(Prompt::text).toList(), parti.config().textLength(), listener);
        if (o.guidance() > 1) {
            ids = Tensor.cat(0, texts.encode(prompts.stream().map(Prompt::negative).toList(), parti.config().textLength(), listener), ids);
        }
        long rows = ids.size(0) * o.count();
        Parti.Memory memory = parti.memory(ids.to(load.device())).repeated(o.count());
        KvCache cache = parti.cache(rows, memory);
        CachedReader.Logits logits = (tokens, place) ->
                parti.decode(tokens.to(load.device()), place, memory, cache::layer).select(1, 0);
        return guided(new CachedReader(cache, () -> logits.after(Tensor.of(parti.config().start()).expand(rows, 1), 0), logits), o);
    }

    @Override
    public void close() {
        files.close();
    }
}
