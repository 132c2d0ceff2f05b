package io.sfumato.tensor;

import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.OperatorHandle;

/**
 * A step of AdamW (Loshchilov and Hutter 2019, algorithm 2) in one pass over each parameter, its gradient and its moments, where one
 * operator after the other reads them a dozen times: a third of the time, for networks that do not fit the caches.
 *
 * @param rate  times what the moments say
 * @param beta1 what is kept of the first moment
 * @param beta2 what is kept of the second moment
 * @param decay of the weights, decoupled from the gradient, times the rate
 * @param eps   added to the root of the second moment
 */
public record FusedAdamW(double rate, double beta1, double beta2, double decay, double eps) {
    private static final OperatorHandle ADAMW = Operators.find("aten::_fused_adamw_");

    /**
     * Moves {@code parameters} and their moments {@code m} and {@code v}, all in the same order.
     *
     * @param step counts from 1: what the moments are corrected for, as they began with 0
     */
    public void step(List<Tensor> parameters, List<Tensor> gradients, List<Tensor> m, List<Tensor> v, long step) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            List<Tensor> steps = Collections.nCopies(parameters.size(), Tensor.of(new float[] {step}, 1).to(parameters.get(0).device()));
            Operators.run(ADAMW, Operators.list(ADAMW, 0, parameters), Operators.list(ADAMW, 1, gradients), Operators.list(ADAMW, 2, m),
                    Operators.list(ADAMW, 3, v), Operators.list(ADAMW, 4, List.of()), Operators.list(ADAMW, 5, steps), new IValue(rate),
                    new IValue(beta1), new IValue(beta2), new IValue(decay), new IValue(eps), new IValue(false), new IValue(false),
                    new IValue(), new IValue());
        }
    }
}
