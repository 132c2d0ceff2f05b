package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Nucleus;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.models.tokenizer.Detokenizer;
import java.util.List;

/** A model that writes the codes of a picture row by row; {@link TokenDrawer} draws with it. */
interface TokenModel extends AutoCloseable {
    /** What the codes mean; one that reads pictures too can go on from a given one. */
    Detokenizer tokenizer();

    /** Codes of a row, and rows. */
    int grid();

    /** How top-p cuts. */
    Nucleus nucleus();

    /** Whether it was trained on empty prompts, too. */
    boolean takesGuidance();

    /**
     * Most read every text.
     *
     * @throws IllegalArgumentException for a prompt that this model cannot read
     */
    default void check(Prompt prompt) {
    }

    /** Reads prompts: {@code options.count()} rows for each, in their order. */
    TokenReader read(List<Prompt> prompts, Options options, Listener listener, Trace trace);

    @Override
    void close();
}
