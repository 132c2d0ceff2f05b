package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Unclip;
import picocli.CommandLine.Option;

/** How a model that draws by way of an image embedding samples it, and how it enlarges. */
final class UnclipSteps {
    private final Changes<Unclip> changes = new Changes<>();

    @Option(order = 50, names = "--prior-steps", paramLabel = "N", description = "of Karlo and Kandinsky: steps of the prior (25)")
    private void priorSteps(int steps) {
        changes.add(u -> u.withPriorSteps(steps));
    }

    @Option(order = 51, names = "--prior-guidance", paramLabel = "G",
            description = "how closely the image embedding follows the prompt (4); 1 or less is freely")
    private void priorGuidance(double guidance) {
        changes.add(u -> u.withPriorGuidance(guidance));
    }

    @Option(order = 52, names = "--enlarging-steps", paramLabel = "N", description = "of Karlo: steps of the networks that enlarge (7)")
    private void enlargingSteps(int steps) {
        changes.add(u -> u.withEnlargingSteps(steps));
    }

    @Option(order = 53, names = "--likeness", paramLabel = "S",
            description = "0 to 1: share of the --like picture in what is drawn, the rest is the prompt's (1)")
    private void likeness(double share) {
        changes.add(u -> u.withLikeness(share));
    }

    Options change(Options o) {
        return o.withUnclip(changes.to(o.unclip()));
    }
}
