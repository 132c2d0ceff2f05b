package io.sfumato.training.world;

import java.util.List;
import java.util.Map;

/**
 * The sentences of captions. %1$s and %2$s stand for groups such as "two red apples", {is} for the verb of the first. Some are kept
 * back from training ({@link Split#keepsBackPhrasing}), never the first of a list.
 */
final class Phrasings {
    static final List<String> ONE = List.of("%1$s", "a picture of %1$s", "a drawing of %1$s", "clip art of %1$s", "an image of %1$s",
            "there {is} %1$s", "an illustration showing %1$s", "we see %1$s", "%1$s in the picture", "a cartoon of %1$s", "draw %1$s",
            "this picture shows %1$s", "please paint %1$s", "I would like to see %1$s", "here {is} %1$s", "a simple picture with %1$s",
            "a coloured drawing of %1$s", "an illustration of %1$s", "imagine %1$s", "only %1$s", "a view of %1$s", "we can see %1$s here",
            "an artwork showing %1$s", "a nice picture of %1$s", "my drawing of %1$s");

    static final List<String> BOTH = List.of("%1$s and %2$s", "%1$s with %2$s", "there {is} %1$s and %2$s", "%1$s together with %2$s",
            "a picture of %1$s and %2$s", "both %1$s and %2$s", "%1$s, %2$s", "%1$s as well as %2$s", "clip art of %1$s and %2$s");

    static final Map<Relation, List<String>> TWO = Map.of(
            Relation.LEFT_OF, List.of("%1$s left of %2$s", "%1$s to the left of %2$s", "%1$s on the left of %2$s",
                    "%1$s {is} to the left of %2$s", "%1$s on the left and %2$s on the right",
                    "on the left {is} %1$s and on the right %2$s",
                    "%2$s with %1$s to the left", "to the left of %2$s {is} %1$s", "%1$s on the left side of %2$s",
                    "a picture of %1$s left of %2$s", "there {is} %1$s left of %2$s", "left of %2$s we see %1$s",
                    "%1$s standing left of %2$s", "we see %1$s to the left of %2$s", "the picture shows %1$s left of %2$s"),
            Relation.RIGHT_OF, List.of("%1$s right of %2$s", "%1$s to the right of %2$s", "%1$s on the right of %2$s",
                    "%1$s {is} to the right of %2$s", "%1$s on the right and %2$s on the left",
                    "on the right {is} %1$s and on the left %2$s",
                    "%2$s with %1$s to the right", "to the right of %2$s {is} %1$s", "%1$s on the right side of %2$s",
                    "a picture of %1$s right of %2$s", "there {is} %1$s right of %2$s", "right of %2$s we see %1$s",
                    "a drawing of %1$s to the right of %2$s"),
            Relation.ABOVE, List.of("%1$s above %2$s", "%1$s {is} above %2$s", "%1$s over %2$s", "above %2$s {is} %1$s",
                    "%1$s at the top and %2$s at the bottom", "%2$s with %1$s above", "%1$s higher than %2$s",
                    "a picture of %1$s above %2$s", "there {is} %1$s above %2$s"),
            Relation.BELOW, List.of("%1$s below %2$s", "%1$s {is} below %2$s", "%1$s under %2$s", "below %2$s {is} %1$s",
                    "%1$s at the bottom and %2$s at the top", "%2$s with %1$s below", "%1$s beneath %2$s", "%1$s underneath %2$s",
                    "a picture of %1$s below %2$s", "there {is} %1$s under %2$s",
                    "%1$s down below %2$s"),
            Relation.NEXT_TO, List.of("%1$s next to %2$s", "%1$s {is} next to %2$s", "%1$s beside %2$s", "%1$s and %2$s side by side",
                    "%1$s close to %2$s", "next to %2$s {is} %1$s", "a picture of %1$s next to %2$s", "%1$s by the side of %2$s",
                    "draw %1$s next to %2$s"),
            Relation.ON, List.of("%1$s on %2$s", "%1$s on top of %2$s", "%1$s {is} on %2$s", "%1$s standing on %2$s",
                    "%2$s with %1$s on top", "on top of %2$s {is} %1$s", "%1$s sitting on %2$s", "a picture of %1$s on %2$s",
                    "we see %1$s on top of %2$s"),
            Relation.INSIDE, List.of("%1$s inside %2$s", "%1$s in %2$s", "%1$s {is} inside %2$s", "%2$s with %1$s inside",
                    "inside %2$s {is} %1$s", "%2$s containing %1$s", "a picture of %1$s inside %2$s"),
            Relation.BEHIND, List.of("%1$s behind %2$s", "%1$s {is} behind %2$s", "behind %2$s {is} %1$s", "%2$s in front of %1$s",
                    "%1$s hidden behind %2$s", "%2$s with %1$s behind", "a picture of %1$s behind %2$s", "%1$s partly covered by %2$s",
                    "%1$s standing behind %2$s"));

    /** First sentences of a narration. */
    static final List<String> OPENINGS = List.of("In this picture there {is} %1$s.", "In this image we can see %1$s.",
            "This is a picture of %1$s.", "The picture shows %1$s.", "Here we can see %1$s.", "In the image there {is} %1$s.");

    /** Sentences of a narration that add a group without a relation. */
    static final List<String> ADDITIONS = List.of("There {is} also %1$s.", "We can also see %1$s.", "Beside that there {is} %1$s.",
            "The picture also has %1$s.");

    /** Sentences about the second group, which was named before as "the ...". */
    static final Map<Relation, List<String>> SECONDS = Map.of(
            Relation.LEFT_OF, List.of("To the left of %2$s there {is} %1$s.", "On the left side of %2$s we can see %1$s."),
            Relation.RIGHT_OF, List.of("To the right of %2$s there {is} %1$s.", "On the right side of %2$s we can see %1$s."),
            Relation.ABOVE, List.of("Above %2$s there {is} %1$s.", "Higher than %2$s we can see %1$s."),
            Relation.BELOW, List.of("Below %2$s there {is} %1$s.", "Under %2$s we can see %1$s."),
            Relation.NEXT_TO, List.of("Next to %2$s there {is} %1$s.", "Beside %2$s we can see %1$s."),
            Relation.ON, List.of("On %2$s there {is} %1$s.", "On top of %2$s we can see %1$s."),
            Relation.INSIDE, List.of("Inside %2$s there {is} %1$s.", "In %2$s we can see %1$s."),
            Relation.BEHIND, List.of("Behind %2$s there {is} %1$s.", "Partly hidden by %2$s we can see %1$s."));

    static final List<String> BACKDROPS = List.of("Everything is %1$s.", "The scene is %1$s.", "All this is %1$s.");

    static final List<List<String>> NUMBERS = List.of(List.of(), List.of("one"), List.of("two", "2", "a pair of", "a couple of"),
            List.of("three", "3"), List.of("four", "4"), List.of("five", "5"));

    private Phrasings() {
    }
}
