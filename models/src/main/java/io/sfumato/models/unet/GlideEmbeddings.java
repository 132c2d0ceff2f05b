package io.sfumato.models.unet;

import io.sfumato.io.Weights;
import io.sfumato.models.unet.Conditioning.Input;
import io.sfumato.models.unet.GlideUNetConfig.Added;
import io.sfumato.models.unet.GlideUNetConfig.Context;
import io.sfumato.models.unet.GlideUNetConfig.Label;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.TimestepEmbedding;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** How time, label, text and image embeddings become the one vector and the one sequence of states that the blocks see. */
final class GlideEmbeddings {
    /** Tokens that an image embedding becomes: alone (Kandinsky 2.2), or before the text (Kandinsky 2.1). */
    private static final int IMAGE_TOKENS = 32;
    private static final int IMAGE_TOKENS_BEFORE_TEXT = 10;

    private final GlideUNetConfig config;
    private final Function<Tensor, Tensor> time;
    private final BiFunction<Conditioning, Tensor, Tensor> label;        // of the conditioning and a tensor of the dtype to work in
    private final Function<Conditioning, Tensor> added;
    private final Function<Conditioning, Tensor> context;
    private final List<Conv2d> hint = new ArrayList<>();

    GlideEmbeddings(Weights w, GlideUNetConfig c) {
        config = c;
        time = twoLayers(w.sub("time_embedding"), c.widths()[0], c.timeWidth(), c.activation());
        label = label(w.sub("class_embedding"), c);
        added = added(w.sub("add_embedding"), c);
        context = context(w.sub("encoder_hid_proj"), c);
        int[] widths = {3, 16, 16, 32, 32, 96, 96, 256, 4};
        for (int i = 0; i < (c.added() == Added.IMAGE_AND_HINT ? widths.length - 1 : 0); i++) {
            boolean halves = i % 2 == 0 && i > 0;
            hint.add(new Conv2d(w.sub("add_embedding").sub("input_hint_block").sub("" + 2 * i), widths[i], widths[i + 1], 3,
                    halves && i < 7 ? 2 : 1, 1));
        }
    }

    /** The sum of all that is embedded: (B, T). */
    Tensor embed(Tensor t, Conditioning given, Tensor like) {
        Tensor e = time.apply(sinusoid(t, config).to(like));
        e = config.label() == Label.NONE ? e : e.add(label.apply(given, like).to(like));
        e = config.added() == Added.NONE ? e : e.add(added.apply(given));
        return config.timeActivation().isEmpty() ? e : config.timeActivation().get(0).apply(e);
    }

    /** The states that attention sees: (B, L, E). */
    Tensor context(Conditioning given) {
        return context.apply(given);
    }

    /** The noisy picture, with the hint's features as further channels where the network takes one. */
    Tensor withHint(Tensor x, Conditioning given) {
        if (hint.isEmpty()) {
            return x;
        }
        Tensor h = hint.get(0).forward(given.get(Input.HINT));
        for (Conv2d conv : hint.subList(1, hint.size())) {
            h = conv.forward(h.silu());
        }
        return Tensor.cat(1, x, h);                                                                  // (B, C + 4, H, W)
    }

    private static Tensor sinusoid(Tensor t, GlideUNetConfig c) {
        return TimestepEmbedding.sinusoid(t, c.widths()[0], c.cosFirst(), c.frequencyShift());
    }

    private static Function<Tensor, Tensor> twoLayers(Weights w, int in, int out, Activation activation) {
        Linear linear1 = new Linear(w.sub("linear_1"), in, out), linear2 = new Linear(w.sub("linear_2"), out, out);
        return x -> linear2.forward(activation.apply(linear1.forward(x)));
    }

    private static BiFunction<Conditioning, Tensor, Tensor> label(Weights w, GlideUNetConfig c) {
        return switch (c.label()) {
            case NONE, IDENTITY -> (given, like) -> given.get(Input.LABEL);
            case TABLE -> {
                Embedding table = new Embedding(w, c.labelSize(), c.timeWidth(), 1);
                yield (given, like) -> table.forward(given.get(Input.LABEL));
            }
            case TIMESTEP -> {
                Function<Tensor, Tensor> layers = twoLayers(w, c.widths()[0], c.timeWidth(), c.activation());
                yield (given, like) -> layers.apply(sinusoid(given.get(Input.LABEL), c).to(like));
            }
            case PROJECTION -> {
                Function<Tensor, Tensor> layers = twoLayers(w, c.labelSize(), c.timeWidth(), Activation.SILU);
                yield (given, like) -> layers.apply(given.get(Input.LABEL));
            }
            case SIMPLE_PROJECTION -> {
                Linear layer = new Linear(w, c.labelSize(), c.timeWidth());
                yield (given, like) -> layer.forward(given.get(Input.LABEL));
            }
        };
    }

    private static Function<Conditioning, Tensor> added(Weights w, GlideUNetConfig c) {
        return switch (c.added()) {
            case NONE -> given -> given.get(Input.TEXT);
            case TEXT -> pooledText(w, c);
            case TEXT_AND_IMAGE -> {
                Linear text = new Linear(w.sub("text_proj"), c.contextWidths()[0], c.timeWidth());
                LayerNorm norm = new LayerNorm(w.sub("text_norm"), c.timeWidth(), 1e-5);
                Linear image = new Linear(w.sub("image_proj"), c.contextWidths()[0], c.timeWidth());
                yield given -> image.forward(given.get(Input.IMAGE)).add(norm.forward(text.forward(given.get(Input.POOLED_TEXT))));
            }
            case IMAGE, IMAGE_AND_HINT -> {
                Linear image = new Linear(w.sub("image_proj"), c.statesWidth(), c.timeWidth());
                LayerNorm norm = new LayerNorm(w.sub("image_norm"), c.timeWidth(), 1e-5);
                yield given -> norm.forward(image.forward(given.get(Input.IMAGE)));
            }
        };
    }

    /** The text pooled by attention, whose query is the mean of the states: Imagen's pooled text in the time embedding. */
    private static Function<Conditioning, Tensor> pooledText(Weights w, GlideUNetConfig c) {
        int width = c.pooledWidth();
        LayerNorm norm1 = new LayerNorm(w.sub("norm1"), width, 1e-5);
        Weights pool = w.sub("pool");
        Tensor position = pool.get("positional_embedding", Weights.Init.normal(1 / Math.sqrt(width)), 1, width);
        BiFunction<String, Integer, Linear> linear = (name, out) -> new Linear(pool.sub(name), width, out);
        Linear key = linear.apply("k_proj", width), query = linear.apply("q_proj", width), value = linear.apply("v_proj", width);
        Linear project = new Linear(w.sub("proj"), width, c.timeWidth());
        LayerNorm norm2 = new LayerNorm(w.sub("norm2"), c.timeWidth(), 1e-5);
        return given -> {
            Tensor states = norm1.forward(given.get(Input.TEXT));                                    // (B, L, E)
            Tensor mean = states.mean(true, 1).add(position);                                        // (B, 1, E)
            states = Tensor.cat(1, mean, states);                                                    // (B, L + 1, E)
            Tensor pooled = Attention.multiHead(query.forward(mean), key.forward(states), value.forward(states), c.poolHeads());
            return norm2.forward(project.forward(pooled.squeeze(1)));                                // (B, T)
        };
    }

    private static Function<Conditioning, Tensor> context(Weights w, GlideUNetConfig c) {
        int width = c.contextWidths()[0];
        return switch (c.context()) {
            case GIVEN -> given -> given.get(Input.TEXT);
            case PROJECTED -> {
                Linear project = new Linear(w, c.statesWidth(), width);
                yield given -> project.forward(given.get(Input.TEXT));
            }
            case TEXT_AND_IMAGE -> {
                Linear image = new Linear(w.sub("image_embeds"), width, (long) IMAGE_TOKENS_BEFORE_TEXT * width);
                Linear text = new Linear(w.sub("text_proj"), c.statesWidth(), width);
                yield given -> Tensor.cat(1, image.forward(given.get(Input.IMAGE)).view(-1, IMAGE_TOKENS_BEFORE_TEXT, width),
                        text.forward(given.get(Input.TEXT)));
            }
            case IMAGE -> {
                Linear image = new Linear(w.sub("image_embeds"), c.statesWidth(), (long) IMAGE_TOKENS * width);
                LayerNorm norm = new LayerNorm(w.sub("norm"), width, 1e-5);
                yield given -> norm.forward(image.forward(given.get(Input.IMAGE)).view(-1, IMAGE_TOKENS, width));
            }
        };
    }
}
