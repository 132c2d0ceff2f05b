package io.sfumato.hub;

import java.util.List;

/**
 * What the user says of a model that its files leave open.
 *
 * @param config     a folder in the layout of diffusers, such as a similar model's, whose configs and tokenizer a single file is read
 *                   by; empty for none
 * @param prediction what the U-Net predicts: {@code eps} or {@code v}; empty for what the model says
 * @param averaged   whether to take the averaged weights ({@code model_ema.*}) of a file that has both
 */
public record FileHints(String config, String prediction, boolean averaged) {
    /** Nothing is said. */
    public static final FileHints NONE = new FileHints("", "", false);

    public FileHints {
        if (!List.of("", "eps", "v").contains(prediction)) {
            throw new IllegalArgumentException("prediction must be eps or v, not '" + prediction + "'");
        }
    }

    public FileHints(String config, String prediction) {
        this(config, prediction, false);
    }

    /** {@code prediction} as schedulers name it; {@code otherwise} where nothing is said. */
    String predictionType(String otherwise) {
        return switch (prediction) {
            case "eps" -> "epsilon";
            case "v" -> "v_prediction";
            default -> otherwise;
        };
    }
}
