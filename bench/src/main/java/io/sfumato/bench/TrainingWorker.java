package io.sfumato.bench;

import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelUri;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.AdamW;
import io.sfumato.training.Ema;
import io.sfumato.training.Shards;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Steps of training as one side of {@code bench/training.py}: {@code TrainingWorker THREADS BATCH}. The U-Net of
 * {@code builtin:clipart-world} is trained on from its weights, as its recipe does, with latents, texts and noise that
 * {@code training.py} draws from the same seeds. The line {@code model} is answered by the model's folder; a number by the seconds that
 * one of so many steps took, and the loss of each.
 */
public final class TrainingWorker implements AutoCloseable {
    private static final int CHANNELS = 8;
    private static final int SIDE = 16;
    private static final int TOKENS = 32;
    private static final int WIDTH = 384;
    private static final double RATE = 0.0008;
    private static final double DECAY = 0.01;
    private static final double CLIP = 1.0;
    private static final double AVERAGE = 0.999;

    private final Path model = ModelUri.resolve("builtin:clipart-world").path();
    private final int batch;
    private final double[] alphas = SchedulerConfig.of(JsonFile.read(model.resolve("scheduler/scheduler_config.json"))).alphasCumprod();
    private final Weights weights;
    private final UNet2DCondition unet;
    private final Shards shards;
    private final AdamW optimizer;
    private final Ema ema;
    private long done;

    TrainingWorker(int batch) {
        this.batch = batch;
        try (Rng init = new Rng(0)) {
            weights = Weights.init(init, Device.CPU);
            unet = new UNet2DCondition(weights, UNetConfig.of(ConfigJson.read(model.resolve("unet/config.json"))));
        }
        try (SafeTensors file = SafeTensors.open(model.resolve("unet/diffusion_pytorch_model.safetensors")); Scope scope = new Scope();
                NoGrad noGrad = new NoGrad()) {
            file.names().forEach(name -> weights.parameters().get(name).copy_(file.get(name)));
        }
        shards = new Shards(batch);
        optimizer = new AdamW(weights.parameters(), DECAY, CLIP);
        ema = new Ema(weights.parameters(), AVERAGE);
    }

    public static void main(String[] args) throws IOException {
        Engine.setThreads(Integer.parseInt(args[0]));
        try (TrainingWorker worker = new TrainingWorker(Integer.parseInt(args[1]));
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("ready 0");
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(line.equals("model") ? worker.model : worker.steps(Integer.parseInt(line)));
            }
        }
    }

    private String steps(int count) {
        StringBuilder losses = new StringBuilder();
        long begin = System.nanoTime();
        for (int i = 0; i < count; i++) {
            losses.append(' ').append(step());
        }
        return (System.nanoTime() - begin) / 1e9 / count + losses.toString();
    }

    /** Takes the next step and returns its loss, the mean squared error of the velocity. */
    double step() {
        try (Rng rng = new Rng(done); Scope scope = new Scope()) {
            Tensor z = rng.randn(batch, CHANNELS, SIDE, SIDE), eps = rng.randn(z.shape()), text = rng.randn(batch, TOKENS, WIDTH);
            Tensor t = rng.randint(0, alphas.length, batch);
            Tensor alpha = Tensor.of(alphas, alphas.length).indexSelect(0, t).view(batch, 1, 1, 1);
            Tensor a = alpha.sqrt().to(DType.F32), s = alpha.neg().add(1).sqrt().to(DType.F32);             // (B, 1, 1, 1)
            Tensor x = z.mul(a).add(eps.mul(s)), target = eps.mul(a).sub(z.mul(s));                         // (B, z, h, w)
            double loss = shards.backward(batch, (from, count) ->
                    unet.forward(x.narrow(0, from, count), t.narrow(0, from, count), text.narrow(0, from, count))
                            .sub(target.narrow(0, from, count)).square().mean());
            optimizer.step(done + 1, RATE);
            ema.update(done++);
            return loss;
        }
    }

    @Override
    public void close() {
        shards.close();
        optimizer.close();
        ema.close();
        weights.close();
    }
}
