package io.sfumato.bench;

import io.sfumato.hub.ModelFolder;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.unet.UNetInput;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a call of a U-Net costs with each shortcut, in processor time on one thread: {@code ShortcutCosts MODEL SIDE ROUNDS}, SIDE being
 * of the latents. All are called in turn; the least of the rounds counts.
 */
public final class ShortcutCosts {
    private ShortcutCosts() {
    }

    public static void main(String[] args) {
        Engine.setThreads(1);
        ModelFolder folder = new ModelFolder(Path.of(args[0]));
        int side = Integer.parseInt(args[1]), rounds = Integer.parseInt(args[2]);
        UNetConfig config = UNetConfig.of(folder.config("unet"));
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(1); TensorSource source = folder.weights("unet");
                Weights exact = Weights.load(source, DType.F32, Device.CPU); Weights packed = Weights.load(source, DType.F32, Device.CPU)) {
            UNet2DCondition unet = exact.build(w -> new UNet2DCondition(w, config), name -> false);
            UNet2DCondition int8 = packed.build(w -> new UNet2DCondition(w.multipliedInEightBits(), config), name -> false);
            UNetInput two = input(rng, config, 2, side), one = input(rng, config, 1, side);
            Tensor deep = unet.evaluate(two).deep();
            Map<String, Supplier<Tensor>> calls = new LinkedHashMap<>();
            calls.put("guided", () -> unet.forward(two));
            calls.put("not guided", () -> unet.forward(one));
            calls.put("shallow (DeepCache)", () -> unet.shallow(two, deep));
            calls.put("half of the places merged", () -> unet.forward(two.withMerged(0.5)));
            calls.put("in 8 bits", () -> int8.forward(two));
            Map<String, Double> least = new LinkedHashMap<>();
            for (int i = 0; i <= rounds; i++) {
                int round = i;                                              // the first one warms up
                calls.forEach((name, call) -> least.merge(name, round == 0 ? Double.MAX_VALUE : seconds(call), Math::min));
            }
            Tensor wanted = unet.forward(two), near = int8.forward(two);
            least.forEach((name, seconds) -> System.out.printf(Locale.ROOT, "| %s | %.2f s | %.2f |%n", name, seconds,
                    seconds / least.get("guided")));
            System.out.printf(Locale.ROOT, "8 bits: an answer is off by %.4f of its norm%n",
                    near.sub(wanted).norm().item() / wanted.norm().item());
        }
    }

    private static UNetInput input(Rng rng, UNetConfig config, int rows, int side) {
        return UNetInput.of(rng.randn(rows, config.inChannels(), side, side), Tensor.full(500, rows),
                rng.randn(rows, 77, config.contextWidths()[0]));
    }

    private static double seconds(Supplier<Tensor> call) {
        long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        try (var scope = new Scope()) {
            call.get();
        }
        return (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin) / 1e9;
    }
}
