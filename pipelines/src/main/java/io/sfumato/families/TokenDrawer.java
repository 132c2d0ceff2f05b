package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Decoding;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Draws with a model that writes pictures as tokens. A given picture is kept from the top down to where its strength says that nothing
 * of it is left: the rest is written on from there. Trace: {@code tokens} (N, rows * columns), {@code logits} (N, rows * columns, V),
 * {@code image}.
 */
final class TokenDrawer implements TextToImage {
    private final TokenModel model;
    private final TokenModel.Codes codes;
    private final int side;
    private final Options defaults;

    TokenDrawer(TokenModel model, Options defaults) {
        this.model = model;
        codes = model.codes();
        side = codes.grid() * codes.tokenizer().factor();
        this.defaults = sized(defaults);
    }

    /** Options hold multiples of 8, as all published models draw; another size stays with the model. */
    private Options sized(Options o) {
        return side % 8 == 0 ? o.withSize(side, side) : o;
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        prompt.require(codes.tokenizer() instanceof PictureTokenizer ? Set.of(Prompt.Role.INIT) : Set.of(), Set.of());
        model.check(prompt);
        if (!List.of(Options.OF_MODEL, side).containsAll(List.of(wanted.width(), wanted.height()))) {
            throw new IllegalArgumentException("this model draws " + side + "x" + side + ", not " + wanted.width() + "x" + wanted.height());
        }
        requireNoSampler(wanted);
        return sized(codes.guided() ? wanted : wanted.withGuidance(1));
    }

    /** @throws IllegalArgumentException for options that only mean something to a model that denoises */
    static void requireNoSampler(Options wanted) {
        wanted.shortcuts().requireNone();
        if (!wanted.sampler().equals(Options.MODELS_OWN) || !wanted.schedule().equals(Options.MODELS_OWN)) {
            throw new IllegalArgumentException("this model picks tokens: it has neither samplers nor schedules; temperature, top-k and"
                    + " top-p say how it picks");
        }
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = wanted;
        for (Prompt prompt : prompts) {
            o = complete(prompt, o);
            prompt.require(prompts.get(0).pictures().keySet(), prompts.get(0).pictures().keySet());
        }
        int n = prompts.size() * o.count(), length = codes.grid() * codes.grid();
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope();
                TokenReader reader = model.read(prompts, o, listener, trace)) {
            List<Tensor> logits = new ArrayList<>();
            Tensor tokens = Decoding.decode(reader, given(prompts, o), length, o.picking(), codes.nucleus(), draws::multinomial, step -> {
                if (trace.isRecording()) {
                    logits.add(step.logits().clone().retain());
                }
                listener.onStep(new Listener.Step(step.place() + 1, length, step.place(),
                        () -> StableDiffusionPixels.images(pictures(step.tokens()))));
            });
            trace.put("tokens", tokens);
            if (trace.isRecording()) {
                trace.put("logits", Tensor.stack(1, logits.toArray(Tensor[]::new)));
                logits.forEach(Tensor::close);
            }
            Tensor pictures = pictures(tokens);                                                         // (N, 3, H, W)
            trace.put("image", pictures);
            return StableDiffusionPixels.images(pictures);
        }
    }

    /** The codes of the top rows of given pictures, (N, g). */
    private Tensor given(List<Prompt> prompts, Options o) {
        if (!prompts.get(0).has(Prompt.Role.INIT)) {
            return Tensor.zeros(DType.I64, (long) prompts.size() * o.count(), 0);
        }
        int kept = (int) Math.round((1 - o.strength(prompts.get(0))) * codes.grid()) * codes.grid();
        Tensor[] rows = new Tensor[prompts.size()];
        for (int i = 0; i < rows.length; i++) {
            Image picture = prompts.get(i).picture(Prompt.Role.INIT).rgb().resize(side, side, Resampling.BICUBIC);
            Tensor x = Tensor.of(picture.toChw(), 1, 3, side, side);
            rows[i] = ((PictureTokenizer) codes.tokenizer()).encode(x).flatten(1, 2).narrow(1, 0, kept);
        }
        return Tensor.cat(0, rows).repeatInterleave(o.count(), 0);
    }

    /** Tokens (N, length) to pictures, one at a time, which bounds the memory. */
    private Tensor pictures(Tensor tokens) {
        try (var scope = new Scope()) {
            Tensor[] pictures = new Tensor[(int) tokens.size(0)];
            for (int i = 0; i < pictures.length; i++) {
                pictures[i] = codes.tokenizer().decode(tokens.narrow(0, i, 1).view(1, codes.grid(), codes.grid())).to(DType.F32);
            }
            return scope.keep(Tensor.cat(0, pictures));
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
