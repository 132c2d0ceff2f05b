package io.sfumato.training.world;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Where the things of a scene stand. Groups get parts of the frame of their own, but for ON, INSIDE and BEHIND. */
final class Layout {
    private static final Box FRAME = new Box(0.02, 0.02, 0.98, 0.98);

    /** A group before it has a place: how many things, width over height of one, how they fill their place, whether they fly. */
    record Actor(int count, double aspect, Size size, boolean flies) {
    }

    /** A thing's group and place. */
    record Placed(int group, Box box) {
    }

    private final SplittableRandom random;

    Layout(SplittableRandom random) {
        this.random = random;
    }

    /** One group fills the frame. */
    List<Placed> alone(Actor actor) {
        return arrange(0, actor, FRAME);
    }

    /** Two groups, the first in {@code relation} to the second; things further back come first. */
    List<Placed> pair(Actor a, Actor b, Relation relation) {
        return switch (relation) {
            case LEFT_OF, NEXT_TO -> columns(List.of(0, 1), List.of(a, b), FRAME);
            case RIGHT_OF -> columns(List.of(1, 0), List.of(b, a), FRAME);
            case ABOVE -> rows(0, a, 1, b);
            case BELOW -> rows(1, b, 0, a);
            case ON -> on(a, b);
            case INSIDE -> inside(a, b);
            case BEHIND -> behind(a, b);
        };
    }

    /** Three or four groups: in a row, or in two rows. */
    List<Placed> several(List<Actor> actors) {
        List<Integer> all = IntStream.range(0, actors.size()).boxed().toList();
        int things = actors.stream().mapToInt(Actor::count).sum();
        if (actors.size() == 3 && things == 3 && random.nextBoolean()) {
            return columns(all, actors, FRAME);
        }
        int above = actors.size() == 4 ? 2 : 1 + random.nextInt(2);
        double middle = 0.5;
        List<Placed> placed = new ArrayList<>(columns(all.subList(0, above), actors.subList(0, above),
                new Box(FRAME.left(), FRAME.top(), FRAME.right(), middle - 0.01)));
        placed.addAll(columns(all.subList(above, all.size()), actors.subList(above, all.size()),
                new Box(FRAME.left(), middle + 0.01, FRAME.right(), FRAME.bottom())));
        return placed;
    }

    /** Side by side, groups of more things wider. */
    private List<Placed> columns(List<Integer> groups, List<Actor> actors, Box within) {
        double[] weights = actors.stream()
                .mapToDouble(a -> Math.pow(a.count(), 0.3) * Math.pow(Math.min(2, Math.max(0.6, a.aspect())), 0.4)).toArray();
        double sum = Arrays.stream(weights).sum(), left = within.left();
        List<Placed> placed = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            double width = within.width() * weights[i] / sum;
            placed.addAll(arrange(groups.get(i), actors.get(i), new Box(left + 0.01, within.top(), left + width - 0.01, within.bottom())));
            left += width;
        }
        return placed;
    }

    private List<Placed> rows(int above, Actor a, int below, Actor b) {
        double middle = 0.5 + 0.06 * (Math.min(a.count(), 3) - Math.min(b.count(), 3)) / 2.0;
        List<Placed> placed = new ArrayList<>(arrange(above, a, new Box(FRAME.left(), FRAME.top(), FRAME.right(), middle - 0.01)));
        placed.addAll(arrange(below, b, new Box(FRAME.left(), middle + 0.01, FRAME.right(), FRAME.bottom())));
        return placed;
    }

    /** The lower one on the ground; the upper one's feet a little into it, as its top is seldom flat. */
    private List<Placed> on(Actor a, Actor b) {
        Box lower = fit(b.aspect(), new Box(0.1, 0.45, 0.9, 0.97), between(0.92, 1), between(0.3, 0.7), 1);
        double high = lower.top() - 0.02;
        Box room = new Box(Math.max(0.02, lower.centreX() - 0.4), 0.02, Math.min(0.98, lower.centreX() + 0.4), 0.02 + high);
        Box upper = fit(a.aspect(), room, between(0.75, 0.98), between(0.4, 0.6), 1);
        double drop = Math.min(0.035, lower.height() * 0.12);
        double fall = lower.top() + drop - upper.bottom();
        return List.of(new Placed(1, lower), new Placed(0, moved(upper, 0, fall)));
    }

    private List<Placed> inside(Actor a, Actor b) {
        Box outer = fit(b.aspect(), FRAME, between(0.88, 1), between(0.2, 0.8), between(0.4, 0.9));
        double w = outer.width() * 0.56, h = outer.height() * 0.56;
        Box room = new Box(outer.centreX() - w / 2, outer.centreY() - h / 2 + 0.12 * outer.height(), outer.centreX() + w / 2,
                outer.centreY() + h / 2 + 0.12 * outer.height());
        return List.of(new Placed(1, outer), new Placed(0, fit(a.aspect(), room, between(0.85, 1), 0.5, 0.6)));
    }

    /** The one behind stands higher and is covered by a third or so. */
    private List<Placed> behind(Actor a, Actor b) {
        boolean left = random.nextBoolean();
        Box front = fit(b.aspect(), new Box(left ? 0.36 : 0.03, 0.3, left ? 0.97 : 0.64, 0.97), between(0.9, 1), 0.5, 1);
        Box back = fit(a.aspect(), new Box(left ? 0.03 : 0.36, 0.05, left ? 0.64 : 0.97, 0.78), between(0.9, 1), 0.5, 0.8);
        double overlap = left ? back.right() - front.left() : front.right() - back.left();
        double wanted = between(0.28, 0.4) * Math.min(back.width(), front.width());
        back = moved(back, left ? wanted - overlap : overlap - wanted, 0);
        back = moved(back, Math.max(0.02 - back.left(), 0) + Math.min(0.98 - back.right(), 0), 0);
        double lift = back.top() > front.top() - 0.07 ? Math.min(back.top() - 0.02, 0.1) : 0;
        return List.of(new Placed(0, moved(back, 0, -lift)), new Placed(1, front));
    }

    /** So many things of one size in rows that use their place well. */
    private List<Placed> arrange(int group, Actor actor, Box place) {
        int n = actor.count(), columns = columns(actor, place), rows = (n + columns - 1) / columns;
        double w = place.width() / columns, h = place.height() / rows;
        double fill = between(actor.size().low, actor.size().high) * (n > 1 ? 0.95 : 1);
        boolean shortRowFirst = random.nextBoolean();
        List<Placed> placed = new ArrayList<>();
        for (int row = 0, left = n; row < rows; row++) {
            int rest = n - (rows - 1) * columns;
            int inRow = row == (shortRowFirst ? 0 : rows - 1) ? rest : Math.min(columns, left);
            left -= inRow;
            for (int i = 0; i < inRow; i++) {
                double x = place.left() + (place.width() - inRow * w) / 2 + i * w, y = place.top() + row * h;
                double lift = actor.flies() ? between(0.05, 0.5) : between(0.5, 0.95);
                placed.add(new Placed(group, fit(actor.aspect(), new Box(x, y, x + w, y + h), fill, between(0.2, 0.8), lift)));
            }
        }
        return placed;
    }

    /** The number of columns that shows things largest; now and then another that is almost as good. */
    private int columns(Actor actor, Box place) {
        int best = 1;
        for (int columns = 1; columns <= actor.count(); columns++) {
            double gain = side(actor, place, columns) / side(actor, place, best);
            if (gain > 1.0001 || gain > 0.85 && random.nextInt(3) == 0) {
                best = columns;
            }
        }
        return best;
    }

    private static double side(Actor actor, Box place, int columns) {
        int rows = (actor.count() + columns - 1) / columns;
        return Math.min(place.width() / columns / Math.sqrt(actor.aspect()), place.height() / rows * Math.sqrt(actor.aspect()));
    }

    /** The largest box of an aspect within a place times {@code fill}, at {@code x} and {@code y} (0 to 1) of the room that is left. */
    private static Box fit(double aspect, Box place, double fill, double x, double y) {
        double w = Math.min(place.width(), place.height() * aspect) * fill, h = w / aspect;
        double left = place.left() + (place.width() - w) * x, top = place.top() + (place.height() - h) * y;
        return new Box(left, top, left + w, top + h);
    }

    private static Box moved(Box box, double dx, double dy) {
        return new Box(box.left() + dx, box.top() + dy, box.right() + dx, box.bottom() + dy);
    }

    private double between(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }
}
