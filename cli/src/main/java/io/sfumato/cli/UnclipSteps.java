package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Turn;
import io.sfumato.Unclip;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** How a model that draws by way of an image embedding comes by it, and how it enlarges. */
final class UnclipSteps {
    private final Changes<Unclip> changes = new Changes<>();
    private List<Path> likes = List.of();
    private List<String> from = List.of();
    private List<String> to = List.of();
    private List<Double> towards = List.of();

    @Option(order = 39, names = "--like", paramLabel = "IMAGE",
            description = "a picture to draw variations of: for Karlo and Kandinsky; given twice, what lies between two")
    private void like(List<Path> files) {
        likes = files;
    }

    @Option(order = 40, names = "--to", paramLabel = "TEXT",
            description = "what lies between PROMPT and this text; with --from, what --like or PROMPT is to become")
    private void to(String text) {
        to = List.of(text);
    }

    @Option(order = 41, names = "--from", paramLabel = "TEXT", description = "what --like or PROMPT is, such as \"a photo of a cat\"")
    private void from(String text) {
        from = List.of(text);
    }

    @Option(order = 42, names = "--towards", paramLabel = "S", description = "0 to 1: share of the way to the second --like or --to (0.5)")
    private void towards(double share) {
        towards = List.of(share);
    }

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

    /** The prompt with the pictures that it is to be like, and where it is to be turned to. */
    Prompt addTo(Prompt prompt) {
        if (likes.size() > 2) {
            throw new IllegalArgumentException("--like is given " + likes.size() + " times: once for variations of a picture, twice for "
                    + "what lies between two");
        }
        if (likes.size() == 2 && !(to.isEmpty() && from.isEmpty())) {
            throw new IllegalArgumentException("a second --like and --to are both given: one of them is wanted to end at");
        }
        if (!from.isEmpty() && to.isEmpty()) {
            throw new IllegalArgumentException("--from is given without --to, the text that it is to become");
        }
        Prompt wanted = likes.isEmpty() ? prompt : prompt.with(Prompt.Role.LIKE, Image.read(likes.get(0)));
        double share = towards.isEmpty() ? 0.5 : towards.get(0);
        if (likes.size() == 2) {
            return wanted.toward(Image.read(likes.get(1)), share);
        }
        if (!to.isEmpty()) {
            return from.isEmpty() ? wanted.toward(to.get(0), share) : wanted.along(from.get(0), to.get(0), share);
        }
        if (!towards.isEmpty() && wanted.turn().kind() == Turn.Kind.NONE) {
            throw new IllegalArgumentException("--towards has nothing to lead to: a second --like or --to is wanted");
        }
        return towards.isEmpty() ? wanted : wanted.at(share);
    }

    /** Whether it says how far to go. */
    boolean saysHowFar() {
        return !towards.isEmpty();
    }

    /** What is stored of it beside what A1111 and its kin do. */
    static Map<String, String> settings(Prompt prompt) {
        Map<String, String> settings = new LinkedHashMap<>();
        Turn turn = prompt.turn();
        if (turn.kind() != Turn.Kind.NONE) {
            settings.put("Turned by", Generate.number(turn.share()));
        }
        if (!turn.from().isEmpty()) {
            settings.put("Turned from", turn.from());
        }
        if (!turn.to().isEmpty()) {
            settings.put("Turned to", turn.to());
        }
        return settings;
    }
}
