package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.diffusion.Grid;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.GuidanceInterval;
import io.sfumato.diffusion.Network;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.unet.UNetInput;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.util.Collections;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.Stream;

/**
 * A U-Net as samplers call it: it sees {@code context} (rows B, L, D) and what lies {@code beside} x, and is guided where the context has
 * more rows than x and the timestep is in {@code interval}.
 */
record StableDiffusionNetwork(DeepCache unet, LoadOptions load, List<Tensor> beside, Tensor context, GuidanceInterval interval,
        DoubleBinaryOperator weight, Options o) implements Network {

    StableDiffusionNetwork(DeepCache unet, LoadOptions load, List<Tensor> beside, Tensor context, GuidanceInterval interval, Options o) {
        this(unet, load, beside, context, interval, (guidance, timestep) -> guidance, o);
    }

    @Override
    public Network guidedBy(DoubleBinaryOperator weight) {
        return new StableDiffusionNetwork(unet, load, beside, context, interval, weight, o);
    }

    static GuidanceInterval interval(Grid grid, Options o) {
        return GuidanceInterval.of(grid, o.shortcuts().guidanceStart(), o.shortcuts().guidanceStop());
    }

    /** @throws IllegalArgumentException for shortcuts that such a run cannot take */
    static void check(UNetConfig unet, Grid grid, Options o) {
        interval(grid, o);
        if (o.shortcuts().tokenMerging() > 0 && !unet.downAttends()[0] && !unet.upAttends()[0]) {
            throw new IllegalArgumentException("token merging: this model's U-Net does not attend at its full size, there is nothing to"
                    + " merge");
        }
    }

    @Override
    public Tensor forward(Tensor x, double timestep) {
        int copies = (int) (context.size(0) / x.size(0));
        if (copies == 1 || interval.contains(timestep)) {
            return guided(x, timestep, context, copies);
        }
        return guided(x, timestep, context.narrow(0, copies == 2 ? x.size(0) : 0, x.size(0)), 1);
    }

    private Tensor guided(Tensor x, double timestep, Tensor context, int copies) {
        Tensor seen = Tensor.cat(1, Stream.concat(Stream.of(Tensor.cat(0, Collections.nCopies(copies, x).toArray(Tensor[]::new))),
                beside.stream().map(b -> besides(b, copies))).toArray(Tensor[]::new));
        double w = weight.applyAsDouble(o.guidance(), timestep);
        Tensor[] answers = answers(seen.to(context), timestep, context).to(DType.F32).chunk(copies, 0);
        return (switch (copies) {
            case 1 -> answers[0];
            case 2 -> rescaled(Guidance.guide(answers[0], answers[1], w), answers[1]);
            // With text and picture, with the picture alone, with neither (Brooks et al. 2023, formula 3).
            default -> Guidance.guide(answers[2], answers[1], o.imageGuidance())
                    .add(answers[0].sub(answers[1]).mul(w));
        }).to(x);
    }

    private static Tensor besides(Tensor b, int copies) {
        return copies == 3 ? Tensor.cat(0, b, b, b.mul(0)) : Tensor.cat(0, Collections.nCopies(copies, b).toArray(Tensor[]::new));
    }

    private Tensor rescaled(Tensor guided, Tensor conditional) {
        return o.guidanceRescale() > 0 ? Guidance.rescale(guided, conditional, o.guidanceRescale()) : guided;
    }

    private Tensor answers(Tensor seen, double timestep, Tensor context) {
        Tensor time = Tensor.full(timestep, seen.size(0)).to(load.device());
        UNetInput in = UNetInput.of(seen, time, context).withMerged(o.shortcuts().tokenMerging());
        return unet.forward(unet.unet().config().labels() == 0 ? in
                : in.withLabel(Tensor.full(o.noiseLevel(), seen.size(0)).to(DType.I64).to(load.device())));
    }
}
