package io.sfumato.tensor;

import org.bytedeco.pytorch.GradMode;

/** Turns gradients off on this thread until closed. Pipelines open one; models never do. */
public final class NoGrad implements AutoCloseable {
    private final boolean before;

    public NoGrad() {
        Engine.load();
        before = GradMode.is_enabled();
        GradMode.set_enabled(false);
    }

    @Override
    public void close() {
        GradMode.set_enabled(before);
    }
}
