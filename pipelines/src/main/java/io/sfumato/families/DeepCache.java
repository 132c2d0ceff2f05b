package io.sfumato.families;

import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetInput;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A U-Net that works whole at every {@code interval}-th call alone (DeepCache: Ma et al. 2023): in between, its shallowest blocks go on
 * with the features from below of the last whole call. A call with another number of rows than the one before is whole as well. For one
 * generation; an interval of 1 leaves every call as it is.
 */
final class DeepCache implements AutoCloseable {
    private final UNet2DCondition unet;
    private final int interval;
    private final Deque<Tensor> deep = new ArrayDeque<>(1);
    private int calls;

    DeepCache(UNet2DCondition unet, int interval) {
        this.unet = unet;
        this.interval = interval;
    }

    UNet2DCondition unet() {
        return unet;
    }

    /** The answer (B, out, H, W). */
    Tensor forward(UNetInput in) {
        if (interval == 1) {
            return unet.forward(in);
        }
        if (!deep.isEmpty() && deep.peek().size(0) == in.x().size(0) && calls++ < interval) {
            return unet.shallow(in, deep.peek());
        }
        close();
        UNet2DCondition.Evaluation whole = unet.evaluate(in);
        deep.push(whole.deep().retain());
        calls = 1;
        return whole.answer();
    }

    @Override
    public void close() {
        deep.forEach(Tensor::close);
        deep.clear();
    }
}
