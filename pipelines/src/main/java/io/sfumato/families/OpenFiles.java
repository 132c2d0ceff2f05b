package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;
import java.util.function.Predicate;

/** The files and weights that a model is made of; closed with it, the last opened first. */
final class OpenFiles implements AutoCloseable {
    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;

    OpenFiles(LoadOptions load) {
        this.load = load;
    }

    /** A safetensors file, or one of PyTorch. */
    TensorSource open(Path file) {
        return hold(TensorSource.open(file));
    }

    /** Closes {@code source} with the others. */
    TensorSource hold(TensorSource source) {
        closers.push(source::close);
        return source;
    }

    Weights weights(TensorSource source) {
        Weights weights = Weights.load(source, load.dtype(), load.device());
        closers.push(weights::close);
        return weights;
    }

    /** A network that must use all of its file but for {@code extras}. */
    <M> M build(TensorSource source, Function<Weights, M> network, Predicate<String> extras) {
        return weights(source).build(network, extras);
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
