package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.autoregressive.GuidedReader;
import io.sfumato.autoregressive.Nucleus;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.models.tokenizer.Detokenizer;
import java.util.List;

/** A model that writes the codes of a picture row by row; {@link TokenDrawer} draws with it. */
interface TokenModel extends AutoCloseable {
    /**
     * What is written.
     *
     * @param tokenizer what the codes mean; one that reads pictures too can go on from a given one
     * @param grid      codes of a row, and rows
     * @param nucleus   how top-p cuts
     * @param guided    whether the model was trained on empty prompts, too
     */
    record Codes(Detokenizer tokenizer, int grid, Nucleus nucleus, boolean guided) {
    }

    Codes codes();

    /**
     * Most read every text.
     *
     * @throws IllegalArgumentException for a prompt that this model cannot read
     */
    default void check(Prompt prompt) {
    }

    /** Reads prompts: {@code options.count()} rows for each, in their order. */
    TokenReader read(List<Prompt> prompts, Options options, Listener listener, Trace trace);

    /** {@code rows}, which reads the empty prompts too where the options guide, guided as they say. */
    default TokenReader guided(TokenReader rows, Options o) {
        return o.guidance() > 1 ? new GuidedReader(rows, o.guidance(), o.picking().guidedTokens()) : rows;
    }

    @Override
    void close();
}
