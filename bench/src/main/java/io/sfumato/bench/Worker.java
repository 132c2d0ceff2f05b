package io.sfumato.bench;

import io.sfumato.hub.ModelFolder;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/**
 * One engine of a comparison, as {@code bench/peers.py} has the others: {@code Worker MODEL DTYPE THREADS INPUTS}. Each line that it
 * reads, {@code STAGE} or {@code STAGE FILE}, runs the stage {@code text}, {@code unet} or {@code vae}, where the model has it, once on the
 * tensors of INPUTS; its answer is the seconds that this took. FILE gets the output.
 */
public final class Worker {
    private final Map<String, Function<Map<String, Tensor>, Tensor>> stages;

    private Worker(ModelFolder folder, DType dtype) {
        if (Files.isDirectory(folder.path().resolve("text_encoder"))) {
            ClipText.Config words = ClipText.Config.of(folder.config("text_encoder"));
            ClipText text = build(folder, "text_encoder", dtype, w -> new ClipText(w, words));
            AutoencoderKl vae = build(folder, "vae", dtype, w -> new AutoencoderKl(w, AutoencoderKl.Config.of(folder.config("vae"))));
            UNet2DCondition unet = build(folder, "unet", dtype,
                    w -> new UNet2DCondition(w.forRunning(), UNetConfig.of(folder.config("unet"))));
            stages = Map.of(
                    "text", in -> text.forward(in.get("ids"), 0),
                    "unet", in -> unet.forward(in.get("x").to(dtype), in.get("t"), in.get("context").to(dtype)),
                    "vae", in -> vae.decode(in.get("z").to(dtype)));
        } else {
            GlideUNet unet = build(folder, "unet", dtype, w -> new GlideUNet(w.forRunning(), GlideUNetConfig.of(folder.config("unet"))));
            stages = Map.of("unet",
                    in -> unet.forward(in.get("x").to(dtype), in.get("t"), Conditioning.text(in.get("context").to(dtype))));
        }
    }

    private static <M> M build(ModelFolder folder, String component, DType dtype, Function<Weights, M> network) {
        try (TensorSource source = folder.weights(component)) {
            return Weights.load(source, dtype, Device.CPU).build(network, name -> name.endsWith(ClipText.POSITION_IDS));
        }
    }

    private double run(String stage, SafeTensors inputs, String[] file) {
        try (var noGrad = new NoGrad(); var scope = new Scope()) {
            long begin = System.nanoTime();
            Tensor out = stages.get(stage).apply(Map.of("ids", inputs.get("ids"), "x", inputs.get("x"), "t", inputs.get("t"),
                    "context", inputs.get("context"), "z", inputs.get("z")));
            double seconds = (System.nanoTime() - begin) / 1e9;
            for (String name : file) {
                SafeTensors.write(Path.of(name), Map.of("out", out.to(DType.F32).contiguous()), Map.of());
            }
            return seconds;
        }
    }

    public static void main(String[] args) throws IOException {
        Engine.setThreads(Integer.parseInt(args[2]));
        long begin = System.nanoTime();
        Worker worker = new Worker(new ModelFolder(Path.of(args[0])), DType.valueOf(args[1].toUpperCase()));
        try (SafeTensors inputs = SafeTensors.open(Path.of(args[3]));
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("ready " + (System.nanoTime() - begin) / 1e9);
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", 2);
                String[] file = words.length > 1 ? new String[] {words[1]} : new String[0];
                System.out.println(worker.run(words[0], inputs, file));
            }
        }
    }
}
