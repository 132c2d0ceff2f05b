package io.sfumato.training.world;

import java.util.List;

/** How one kind of thing stands to another. */
public enum Relation {
    LEFT_OF, RIGHT_OF, ABOVE, BELOW, NEXT_TO, ON, INSIDE, BEHIND;

    private static final double SLACK = 0.04;

    /**
     * Whether the picture shows it, by the boxes of all things of both kinds.
     *
     * @param behind whether a thing of {@code a} was drawn before one of {@code b}
     */
    boolean holds(List<Box> a, List<Box> b, boolean behind) {
        Box one = Box.around(a), other = Box.around(b);
        return switch (this) {
            case LEFT_OF -> one.right() <= other.left() + SLACK;
            case RIGHT_OF -> other.right() <= one.left() + SLACK;
            case ABOVE -> one.bottom() <= other.top() + SLACK;
            case BELOW -> other.bottom() <= one.top() + SLACK;
            case NEXT_TO -> (LEFT_OF.holds(a, b, behind) || RIGHT_OF.holds(a, b, behind)) && besides(one, other);
            case ON -> Math.abs(one.bottom() - other.top()) <= SLACK && one.centreX() > other.left() && one.centreX() < other.right();
            case INSIDE -> other.contains(one);
            case BEHIND -> behind && one.overlaps(other) && !one.contains(other) && !ABOVE.holds(a, b, true) && !LEFT_OF.holds(a, b, true)
                    && !RIGHT_OF.holds(a, b, true) && !BELOW.holds(a, b, true);
        };
    }

    private static boolean besides(Box one, Box other) {
        return one.top() < other.bottom() && other.top() < one.bottom();
    }
}
