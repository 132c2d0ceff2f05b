package io.sfumato.evaluation;

import io.sfumato.evaluation.Detector.Detection;
import io.sfumato.training.world.Box;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Scene.Group;
import io.sfumato.training.world.Scene.Related;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * How well pictures show what their captions say, in the eyes of a {@link Detector}.
 *
 * @param objects    pictures that show every kind of thing asked for
 * @param colours    of those asked to have a colour, pictures in which most things of every such kind have it
 * @param counts     pictures that show as many things of every kind as asked
 * @param relations  of those asked for a relation, pictures that show it
 * @param allCorrect pictures in which all of that is right
 */
public record WorldScores(Share objects, Share colours, Share counts, Share relations, Share allCorrect) {
    private static final double APART = 0.06;

    /** Scores what was found in pictures against the scenes whose captions they were made from, in the same order. */
    public static WorldScores of(List<Scene> asked, List<List<Detection>> found) {
        if (asked.size() != found.size()) {
            throw new IllegalArgumentException(found.size() + " pictures for " + asked.size() + " captions");
        }
        return new WorldScores(
                share(asked, found, scene -> true, WorldScores::hasObjects),
                share(asked, found, scene -> scene.groups().stream().anyMatch(Group::hasColour), WorldScores::hasColours),
                share(asked, found, scene -> true, WorldScores::hasCounts),
                share(asked, found, scene -> !scene.said().isEmpty(), WorldScores::hasRelations),
                share(asked, found, scene -> true, WorldScores::isRight));
    }

    /** Whether a picture shows all that its caption says. */
    static boolean isRight(Scene asked, List<Detection> found) {
        return hasObjects(asked, found) && hasColours(asked, found) && hasCounts(asked, found) && hasRelations(asked, found);
    }

    private static boolean hasObjects(Scene asked, List<Detection> found) {
        return asked.groups().stream().noneMatch(g -> of(g, found).isEmpty());
    }

    private static boolean hasColours(Scene asked, List<Detection> found) {
        return asked.groups().stream().filter(Group::hasColour).allMatch(g -> {
            List<Detection> things = of(g, found);
            return 2 * things.stream().filter(d -> d.colour() == g.paint()).count() > things.size();
        });
    }

    private static boolean hasCounts(Scene asked, List<Detection> found) {
        return asked.groups().stream().allMatch(g -> of(g, found).size() == g.count());
    }

    private static boolean hasRelations(Scene asked, List<Detection> found) {
        return hasObjects(asked, found) && asked.said().stream().allMatch(r -> holds(r, boxes(asked, r.subject(), found),
                boxes(asked, r.object(), found)));
    }

    private static List<Detection> of(Group group, List<Detection> found) {
        return found.stream().filter(d -> d.noun().equals(group.noun())).toList();
    }

    private static List<Box> boxes(Scene asked, int group, List<Detection> found) {
        return of(asked.groups().get(group), found).stream().map(Detection::box).toList();
    }

    /** By centres, as the edges of a found box are uncertain; order in depth cannot be seen, so behind is to be covered in part. */
    private static boolean holds(Related said, List<Box> a, List<Box> b) {
        Box one = Box.around(a), other = Box.around(b);
        double dx = other.centreX() - one.centreX(), dy = other.centreY() - one.centreY();
        boolean across = one.left() < other.right() && other.left() < one.right();
        boolean level = one.top() < other.bottom() && other.top() < one.bottom();
        return switch (said.relation()) {
            case LEFT_OF -> dx > APART && Math.abs(dx) >= Math.abs(dy) / 2;
            case RIGHT_OF -> dx < -APART && Math.abs(dx) >= Math.abs(dy) / 2;
            case ABOVE -> dy > APART && Math.abs(dy) >= Math.abs(dx) / 2;
            case BELOW -> dy < -APART && Math.abs(dy) >= Math.abs(dx) / 2;
            case NEXT_TO -> Math.abs(dx) > APART && level;
            case ON -> dy > APART && one.centreX() > other.left() && one.centreX() < other.right()
                    && Math.abs(one.bottom() - other.top()) < 2 * APART;
            case INSIDE -> one.centreX() > other.left() && one.centreX() < other.right() && one.centreY() > other.top()
                    && one.centreY() < other.bottom() && one.width() * one.height() < other.width() * other.height();
            case BEHIND -> across && level;
        };
    }

    private static Share share(List<Scene> asked, List<List<Detection>> found, Predicate<Scene> among,
                               BiPredicate<Scene, List<Detection>> hit) {
        int hits = 0, of = 0;
        for (int i = 0; i < asked.size(); i++) {
            if (among.test(asked.get(i))) {
                of++;
                hits += hit.test(asked.get(i), found.get(i)) ? 1 : 0;
            }
        }
        return new Share(hits, of);
    }
}
