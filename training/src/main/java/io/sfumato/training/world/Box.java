package io.sfumato.training.world;

import java.util.List;

/** A rectangle, its edges in fractions of the frame from the left and the top. */
public record Box(double left, double top, double right, double bottom) {

    /** The smallest box around boxes. */
    public static Box around(List<Box> boxes) {
        return boxes.stream().reduce((a, b) -> new Box(Math.min(a.left, b.left), Math.min(a.top, b.top), Math.max(a.right, b.right),
                Math.max(a.bottom, b.bottom))).orElseThrow();
    }

    public double width() {
        return right - left;
    }

    public double height() {
        return bottom - top;
    }

    public double centreX() {
        return (left + right) / 2;
    }

    public double centreY() {
        return (top + bottom) / 2;
    }

    boolean contains(Box other) {
        return other.left >= left && other.right <= right && other.top >= top && other.bottom <= bottom;
    }

    boolean overlaps(Box other) {
        return other.left < right && other.right > left && other.top < bottom && other.bottom > top;
    }
}
