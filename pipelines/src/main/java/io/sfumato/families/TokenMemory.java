package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.io.TensorSource;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;

/** What writing a picture token by token needs: the weights, and the keys and values of all tokens. */
final class TokenMemory {
    private TokenMemory() {
    }

    /** @param remembered numbers in the cache of keys and values */
    static MemoryEstimate of(int count, LoadOptions load, List<Path> files, long remembered) {
        return of(count, load, files.stream().mapToLong(TokenMemory::numbers).sum(), remembered);
    }

    static MemoryEstimate of(int count, LoadOptions load, long weights, long remembered) {
        return new MemoryEstimate(count, 0, 0, weights * load.dtype().bytes(),
                remembered * load.dtype().bytes());
    }

    private static long numbers(Path file) {
        try (TensorSource source = TensorSource.open(file)) {
            return numbers(source);
        }
    }

    static long numbers(TensorSource source) {
        return source.names().stream().mapToLong(name -> LongStream.of(source.shape(name)).reduce(1, (a, b) -> a * b)).sum();
    }
}
