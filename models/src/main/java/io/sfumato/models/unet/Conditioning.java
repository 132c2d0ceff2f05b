package io.sfumato.models.unet;

import io.sfumato.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;

/** What a {@link GlideUNet} sees beside the noisy picture and the time: as much of it as its config asks for. */
public record Conditioning(Map<Input, Tensor> inputs) {
    /** The things that there are. */
    public enum Input {
        /** Text states (B, L, E). */
        TEXT("text states"),
        /** 1 where {@link #TEXT} is text, 0 where it is padding (B, L). Left out: all are seen. */
        TEXT_MASK("a mask of the text"),
        /** A text embedding (B, E). */
        POOLED_TEXT("a text embedding"),
        /** An image embedding (B, E). */
        IMAGE("an image embedding"),
        /** A picture (B, 3, 8H, 8W) that guides the shapes. */
        HINT("a hint picture"),
        /** A label: a number for each picture (B), or an embedding (B, T). */
        LABEL("a label");

        private final String words;

        Input(String words) {
            this.words = words;
        }
    }

    public Conditioning {
        inputs = Map.copyOf(inputs);
    }

    public static Conditioning none() {
        return new Conditioning(Map.of());
    }

    public static Conditioning text(Tensor states) {
        return none().with(Input.TEXT, states);
    }

    public Conditioning with(Input input, Tensor x) {
        Map<Input, Tensor> more = new EnumMap<>(Input.class);
        more.putAll(inputs);
        more.put(input, x);
        return new Conditioning(more);
    }

    boolean has(Input input) {
        return inputs.containsKey(input);
    }

    Tensor get(Input input) {
        if (!has(input)) {
            throw new IllegalArgumentException("this U-Net needs " + input.words + " to look at, and was given none");
        }
        return inputs.get(input);
    }
}
