package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Prompt;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Pictures of one prompt, as asked for on the command line or in a line of a file.
 *
 * @param where  FILE:LINE, or nothing for the command line
 * @param change what is asked for in place of the model's defaults
 */
record Asked(CommandSpec spec, String where, Prompt prompt, UnaryOperator<Options> change) {
    int count() {
        return checked(() -> change.apply(Options.defaults()).count());
    }

    /** A mistake is a wrong use of the command, or is said to be where it stands. */
    <T> T checked(Supplier<T> options) {
        if (where.isEmpty()) {
            return Main.checked(spec, options);
        }
        try {
            return options.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }

    /** A warning about it. */
    String about(String warning) {
        return where.isEmpty() ? warning : where + ": " + warning;
    }
}
