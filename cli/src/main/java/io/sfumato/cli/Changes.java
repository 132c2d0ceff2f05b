package io.sfumato.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** What the options on a command line change, in their order. */
final class Changes<T> {
    private final List<UnaryOperator<T>> all = new ArrayList<>();

    void add(UnaryOperator<T> change) {
        all.add(change);
    }

    T to(T value) {
        for (UnaryOperator<T> change : all) {
            value = change.apply(value);
        }
        return value;
    }
}
