package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Nucleus;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.hub.ModelFolder;
import io.sfumato.models.dalle.Dalle;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Tensor;
import java.util.List;

/**
 * DALL-E (Ramesh et al. 2021): one stream of text, then picture. Its Transformer was not published: folders are this project's own,
 * {@code DallePipeline} with {@code transformer}, {@code tokenizer} and {@code vq} or {@code dvae} (any tokenizer of pictures, such as
 * DALL-E's published one). It knows no guidance.
 */
final class DallePictures implements TokenModel {
    private final OpenFiles files;
    private final LoadOptions load;
    private final TextIds texts;
    private final PictureTokenizer pictures;
    private final Dalle dalle;

    private DallePictures(ModelFolder folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            Dalle.Config config = Dalle.Config.of(folder.config("transformer"));
            texts = TextIds.load(folder.folder("tokenizer"));
            pictures = PictureTokenizers.read(files, folder.path());
            PartiPictures.requireFit(folder, texts.size(), config.vocabulary(), pictures.codes(), config.codes());
            dalle = files.build(files.hold(folder.weights("transformer")), w -> new Dalle(w, config), name -> false);
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    static TokenDrawer load(ModelFolder folder, LoadOptions load) {
        return new TokenDrawer(new DallePictures(folder, load), FolderDefaults.of(folder, Options.defaults().withGuidance(1)));
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        Dalle.Config c = Dalle.Config.of(folder.config("transformer"));
        try (var source = folder.weights("transformer")) {
            long tokens = (long) options.count() * (c.length() + c.textLength());
            return TokenMemory.of(options.count(), load, TokenMemory.numbers(source), 2L * c.layers() * c.width() * tokens);
        }
    }

    @Override
    public Codes codes() {
        return new Codes(pictures, dalle.config().grid(), Nucleus.BELOW, false);
    }

    @Override
    public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        Tensor ids = texts.encode(prompts.stream().map(Prompt::text).toList(), dalle.config().textLength(), listener);
        Dalle.Config c = dalle.config();
        Tensor text = dalle.text(ids.to(load.device()));                                    // (P, L, D)
        KvCache cache = new KvCache(c.layers(), text.size(0) * o.count(), c.heads(), c.width() / c.heads(), c.textLength() + c.length(),
                text);
        int last = c.textLength() - 1;
        return new CachedReader(cache,
                () -> dalle.imageLogits(dalle.forward(text, 0, cache::layer).select(1, last)).repeatInterleave(o.count(), 0),
                (tokens, place) -> {
                    Tensor x = dalle.image(tokens.to(load.device()), place - 1);
                    return dalle.imageLogits(dalle.forward(x, last + place, cache::layer).select(1, 0));
                });
    }

    @Override
    public void close() {
        files.close();
    }
}
