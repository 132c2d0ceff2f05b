package io.sfumato.nn;

import io.sfumato.io.ConfigJson;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/** Activation functions by the names that config files give them. */
public enum Activation {
    SILU(Tensor::silu, "silu", "swish"),
    GELU(Tensor::gelu, "gelu"),
    GELU_TANH(Tensor::geluTanh, "gelu_new", "gelu_pytorch_tanh"),
    /** x sigmoid(1.702 x): the approximation that OpenAI's CLIP was trained with. */
    QUICK_GELU(x -> x.mul(x.mul(1.702).sigmoid()), "quick_gelu"),
    RELU(Tensor::relu, "relu");

    private final UnaryOperator<Tensor> f;
    private final String[] names;

    Activation(UnaryOperator<Tensor> f, String... names) {
        this.f = f;
        this.names = names;
    }

    /**
     * The activation that {@code key} names in a config file, or {@code otherwise} where it is missing.
     *
     * @throws io.sfumato.io.CheckpointException for another name
     */
    public static Activation of(ConfigJson json, String key, Activation otherwise) {
        return of(json, key, json.text(key, otherwise.names[0]));
    }

    /** The activation {@code name}, which is the value of {@code key} or a part of it. */
    public static Activation of(ConfigJson json, String key, String name) {
        return Arrays.stream(values()).filter(a -> Arrays.asList(a.names).contains(name)).findFirst().orElseThrow(() ->
                json.wrong(key, name, "one of " + String.join(", ", known())));
    }

    private static List<String> known() {
        return Arrays.stream(values()).flatMap(a -> Arrays.stream(a.names)).toList();
    }

    public Tensor apply(Tensor x) {
        return f.apply(x);
    }
}
