package io.sfumato.bench;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.parti.Parti;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Parti's 350M preset as one engine of {@code bench/tokens.py}: {@code TokenWorker WEIGHTS DTYPE THREADS}. WEIGHTS is made, at random,
 * if it is not there. Each line that it reads is a number of tokens; its answer is the seconds that these took, after the text was read,
 * and the tokens, always the most likely one.
 */
public final class TokenWorker {
    private static final Parti.Config CONFIG = Parti.Config.parti350M();

    private TokenWorker() {
    }

    public static void main(String[] args) throws IOException {
        Engine.setThreads(Integer.parseInt(args[2]));
        Path file = Path.of(args[0]);
        if (!Files.exists(file)) {
            make(file);
        }
        long begin = System.nanoTime();
        try (SafeTensors source = SafeTensors.open(file);
                Weights weights = Weights.load(source, DType.valueOf(args[1].toUpperCase()), Device.CPU);
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Parti parti = weights.build(w -> new Parti(w, CONFIG), name -> false);
            System.out.println("ready " + (System.nanoTime() - begin) / 1e9);
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(decode(parti, Integer.parseInt(line.strip())));
            }
        }
    }

    private static void make(Path file) {
        try (Scope scope = new Scope(); Rng rng = new Rng(0); Weights fresh = Weights.init(rng, Device.CPU)) {
            new Parti(fresh, CONFIG);
            SafeTensors.write(file, fresh.parameters().entrySet().stream()
                    .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().detach())), Map.of());
        }
    }

    private static String decode(Parti parti, int tokens) {
        try (var noGrad = new NoGrad(); var scope = new Scope()) {
            Tensor text = Tensor.of(LongStream.rangeClosed(1, CONFIG.textLength()).toArray(), 1, CONFIG.textLength());
            Parti.Memory memory = parti.memory(text);
            StringBuilder written = new StringBuilder();
            try (var cache = parti.cache(1, memory)) {
                long token = CONFIG.start(), begin = System.nanoTime();
                for (int i = 0; i < tokens; i++) {
                    try (var step = new Scope()) {
                        token = parti.decode(Tensor.of(new long[] {token}, 1, 1), i, memory, cache::layer).argmax(2).toLongs()[0];
                    }
                    written.append(' ').append(token);
                }
                return (System.nanoTime() - begin) / 1e9 + written.toString();
            }
        }
    }
}
