package io.sfumato.nn;

import io.sfumato.tensor.Tensor;
import java.util.Arrays;
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

    /** The activation that {@code name} stands for in a config file. */
    public static Activation of(String name) {
        return Arrays.stream(values()).filter(a -> Arrays.asList(a.names).contains(name)).findFirst().orElseThrow(() ->
                new IllegalArgumentException("unknown activation '" + name + "': known are silu, gelu, gelu_new, quick_gelu, relu"));
    }

    public Tensor apply(Tensor x) {
        return f.apply(x);
    }
}
