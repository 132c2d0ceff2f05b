package io.sfumato.tensor;

import java.util.function.BiFunction;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * Frees, when closed, every tensor that this thread made since it was opened, but for those that {@link #keep} took out.
 * Tensors live outside the Java heap, so the garbage collector does not see them: open one scope in each repeated block's
 * forward, sampler step and training step.
 *
 * <pre>{@code
 * try (var scope = new Scope()) {
 *     ...
 *     return scope.keep(y);
 * }
 * }</pre>
 */
public final class Scope implements AutoCloseable {
    static {
        Engine.load();
    }

    private final PointerScope outer = PointerScope.getInnerScope();
    private final PointerScope scope = new PointerScope();

    /** Gives {@code x} to the enclosing scope, or to the caller, who then closes it, when there is none. */
    public Tensor keep(Tensor x) {
        if (outer == null) {
            x.retain();
        } else {
            outer.attach(x.raw());
        }
        return x;
    }

    public Tensor[] keep(Tensor... xs) {
        for (Tensor x : xs) {
            keep(x);
        }
        return xs;
    }

    /** x through one block after another; of what they give only the last is alive in the end, and two at any time. */
    public static <B> Tensor chain(Tensor x, Iterable<B> blocks, BiFunction<B, Tensor, Tensor> forward) {
        Tensor y = x.retain();
        for (B block : blocks) {
            try (Tensor before = y; var scope = new Scope()) {
                y = forward.apply(block, before).retain();
            }
        }
        PointerScope around = PointerScope.getInnerScope();
        if (around != null) {
            around.attach(y.raw());
            y.close();
        }
        return y;
    }

    @Override
    public void close() {
        scope.close();
    }

    /** Native objects alive in this process: flat over repeated work, or something leaks. */
    public static long live() {
        return Pointer.totalCount();
    }
}
