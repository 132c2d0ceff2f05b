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
import io.sfumato.io.ConfigYaml;
import io.sfumato.models.mindalle.MinDalle;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.CharacterPairs;
import java.nio.file.Path;
import java.util.List;

/**
 * minDALL-E (Kim et al. 2021, Kakao Brain): one stream of text and picture tokens. Reads its own folder: {@code config.yaml},
 * {@code stage1_last.ckpt}, {@code stage2_last.ckpt} and {@code tokenizer/}. It knows no guidance.
 */
final class KakaoMinDalle implements TokenModel {
    private final OpenFiles files;
    private final CharacterPairs tokenizer;
    private final VqGan pictures;
    private final MinDalle gpt;
    private final LoadOptions load;

    private KakaoMinDalle(Path folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            ConfigJson config = ConfigYaml.read(folder.resolve("config.yaml")), stage1 = config.child("stage1");
            VqGan.Config vqConfig = VqGan.Config.taming(stage1, stage1.child("hparams"), VqGan.Quantizer.NEAREST);
            MinDalle.Config gptConfig = MinDalle.Config.of(config.child("stage2"));
            if (vqConfig.codes() != gptConfig.codes()) {
                throw new CheckpointException(folder.resolve("config.yaml") + ": stage1 has " + vqConfig.codes()
                        + " codes (n_embed), but stage2 writes " + gptConfig.codes() + " (vocab_size_img)");
            }
            Path texts = folder.resolve("tokenizer");
            tokenizer = new CharacterPairs(texts.resolve("bpe-16k-vocab.json"), texts.resolve("bpe-16k-merges.txt"));
            if (tokenizer.size() > gptConfig.textVocabulary()) {
                throw new CheckpointException(texts + ": has " + tokenizer.size() + " words, where the Transformer reads "
                        + gptConfig.textVocabulary() + " (vocab_size_txt)");
            }
            pictures = files.build(files.open(folder.resolve("stage1_last.ckpt")), w -> new VqGan(w, vqConfig), VqGan::isExtra);
            gpt = files.build(files.open(folder.resolve("stage2_last.ckpt")), w -> new MinDalle(w, gptConfig), name -> false);
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    static TokenDrawer load(ModelFolder folder, LoadOptions load) {
        Options defaults = Options.defaults().withGuidance(1).withPicking(Picking.defaults().withTopK(256));
        return new TokenDrawer(new KakaoMinDalle(folder.path(), load), FolderDefaults.of(folder, defaults));
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        ConfigJson config = ConfigYaml.read(folder.path().resolve("config.yaml"));
        MinDalle.Config c = MinDalle.Config.of(config.child("stage2"));
        long tokens = (long) (c.textLength() + c.length()) * options.count();
        return TokenMemory.of(options.count(), load, List.of(folder.path().resolve("stage1_last.ckpt"),
                folder.path().resolve("stage2_last.ckpt")), 2L * c.layers() * c.width() * tokens);
    }

    @Override
    public Codes codes() {
        return new Codes(pictures, gpt.config().grid(), Nucleus.BELOW, false);
    }

    @Override
    public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        MinDalle.Config c = gpt.config();
        int length = c.textLength();
        Tensor[] rows = new Tensor[prompts.size()];
        for (int i = 0; i < rows.length; i++) {
            CharacterPairs.Encoded encoded = tokenizer.encode(prompts.get(i).text(), length);
            if (encoded.whole() > length) {
                listener.onWarning("the prompt has " + encoded.whole() + " tokens, of which " + length + " are read");
            }
            rows[i] = Tensor.of(encoded.ids());
        }
        Tensor text = gpt.text(Tensor.stack(0, rows).to(load.device()));                    // (P, L, D)
        KvCache cache = new KvCache(c.layers(), text.size(0) * o.count(), c.heads(), c.width() / c.heads(), length + c.length(), text);
        return new CachedReader(cache,
                () -> gpt.imageLogits(gpt.forward(text, cache::layer).select(1, length - 1)).repeatInterleave(o.count(), 0),
                (tokens, place) -> {
                    Tensor x = gpt.image(tokens.to(load.device()), place - 1);
                    return gpt.imageLogits(gpt.forward(x, cache::layer).select(1, 0));
                });
    }

    @Override
    public void close() {
        files.close();
    }
}
