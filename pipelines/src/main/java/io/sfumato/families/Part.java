package io.sfumato.families;

import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/** A network of a model of several: in memory from the beginning, or read from its file for each use and let go after it. */
final class Part<M> implements AutoCloseable {
    /**
     * How a network is read.
     *
     * @param extras names that the file may have besides the network's
     */
    record Recipe<M>(Supplier<TensorSource> file, Function<Weights, M> network, Predicate<String> extras, DType dtype, Device device) {
        private Open<M> open() {
            TensorSource source = file.get();
            try {
                Weights weights = Weights.load(source, dtype, device);
                return new Open<>(weights.build(network, extras), weights, source);
            } catch (RuntimeException e) {
                source.close();
                throw e;
            }
        }

        /** Numbers in the file. */
        long parameters() {
            try (TensorSource source = file.get()) {
                return source.names().stream().filter(name -> !extras.test(name))
                        .mapToLong(name -> LongStream.of(source.shape(name)).reduce(1, (a, b) -> a * b)).sum();
            }
        }
    }

    private record Open<M>(M network, Weights weights, TensorSource source) implements AutoCloseable {
        @Override
        public void close() {
            weights.close();
            source.close();
        }
    }

    private final Recipe<M> recipe;
    private final List<Open<M>> held;

    /** @param stays whether it is read now and held until {@link #close} */
    Part(Recipe<M> recipe, boolean stays) {
        this.recipe = recipe;
        held = stays ? List.of(recipe.open()) : List.of();
    }

    /** What {@code work} makes of the network; nothing of the network's own may be in it. */
    <R> R use(Function<M, R> work) {
        if (!held.isEmpty()) {
            return work.apply(held.get(0).network);
        }
        try (Open<M> open = recipe.open()) {
            return work.apply(open.network);
        }
    }

    @Override
    public void close() {
        held.forEach(Open::close);
    }
}
