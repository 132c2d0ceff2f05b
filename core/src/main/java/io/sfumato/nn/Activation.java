package io.sfumato.nn;

import io.sfumato.io.ConfigJson;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/** Activation functions by the names that config files give them. */
public enum Activation {
    SILU(Tensor::silu, Tensor::silu_, "silu", "swish"),
    GELU(Tensor::gelu, Tensor::gelu_, "gelu"),
    GELU_TANH(Tensor::geluTanh, Tensor::geluTanh, "gelu_new", "gelu_pytorch_tanh"),
    /** x sigmoid(1.702 x): the approximation that OpenAI's CLIP was trained with. */
    QUICK_GELU(x -> x.mul(x.mul(1.702).sigmoid()), x -> x.mul_(x.mul(1.702).sigmoid()), "quick_gelu"),
    RELU(Tensor::relu, Tensor::relu_, "relu");

    private final UnaryOperator<Tensor> f;
    private final UnaryOperator<Tensor> inPlace;
    private final String[] names;

    Activation(UnaryOperator<Tensor> f, UnaryOperator<Tensor> inPlace, String... names) {
        this.f = f;
        this.inPlace = inPlace;
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

    /** As {@link #apply}, in the memory of x where there is a way: for an x that nothing else reads. */
    public Tensor apply_(Tensor x) {
        return inPlace.apply(x);
    }
}
