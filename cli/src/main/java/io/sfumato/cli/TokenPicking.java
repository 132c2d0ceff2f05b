package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Picking;
import picocli.CommandLine.Option;

/** How a model that writes pictures as tokens picks them. */
final class TokenPicking {
    private final Changes<Picking> changes = new Changes<>();

    @Option(order = 60, names = "--temperature", paramLabel = "T",
            description = "of models that write tokens: 0 always takes the most likely token")
    private void temperature(double temperature) {
        changes.add(p -> p.withTemperature(temperature));
    }

    @Option(order = 61, names = "--top-k", paramLabel = "K", description = "picks among the K most likely tokens; 0 is all")
    private void topK(int k) {
        changes.add(p -> p.withTopK(k));
    }

    @Option(order = 62, names = "--top-p", paramLabel = "P",
            description = "picks among the most likely tokens that have the share P of probability together")
    private void topP(double p) {
        changes.add(picking -> picking.withTopP(p));
    }

    @Option(order = 63, names = "--guided-tokens", paramLabel = "N", description = "guidance acts on the first N tokens only (all)")
    private void guidedTokens(int tokens) {
        changes.add(p -> p.withGuidedTokens(tokens));
    }

    Options change(Options o) {
        return o.withPicking(changes.to(o.picking()));
    }
}
