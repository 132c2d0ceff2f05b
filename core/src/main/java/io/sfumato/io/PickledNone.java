package io.sfumato.io;

/** Python's {@code None} in a pickled tree. */
public enum PickledNone {
    NONE;

    @Override
    public String toString() {
        return "None";
    }
}
