package io.sfumato.bench;

import io.sfumato.nn.Attention;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Single operators as one side of {@code bench/operators.py}: {@code OperatorWorker THREADS CLOCK}, where CLOCK is {@code wall} or
 * {@code cpu}, this thread's processor time. A line {@code KIND DTYPE SIZES} makes the operator and its random inputs, those that
 * {@code operators.py} draws from the same seed, runs it once, and is answered by the seconds of that and the mean of |output|.
 * A line with a number runs it that many times, and is answered by the seconds of one.
 */
public final class OperatorWorker {
    private OperatorWorker() {
    }

    public static void main(String[] args) throws IOException {
        Engine.setThreads(Integer.parseInt(args[0]));
        LongSupplier clock = args[1].equals("cpu") ? ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime : System::nanoTime;
        try (var noGrad = new NoGrad(); var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("ready 0");
            for (String line = lines.readLine(); line != null; line = answerAll(line, lines, clock)) {
                continue;
            }
        }
    }

    /** Answers a line that names an operator, and then the numbers; the next line that is no number. */
    private static String answerAll(String line, BufferedReader lines, LongSupplier clock) throws IOException {
        try (var scope = new Scope()) {
            String[] words = line.split(" ");
            Supplier<Tensor> operator = operator(words[0], DType.valueOf(words[1].toUpperCase()),
                    Arrays.stream(words).skip(2).mapToLong(Long::parseLong).toArray());
            long begin = clock.getAsLong();
            Tensor out = operator.get();
            System.out.println((clock.getAsLong() - begin) / 1e9 + " " + out.to(DType.F32).abs().mean().item());
            String next = lines.readLine();
            for (; next != null && next.matches("\\d+"); next = lines.readLine()) {
                System.out.println(seconds(operator, Integer.parseInt(next), clock));
            }
            return next;
        }
    }

    private static double seconds(Supplier<Tensor> operator, int times, LongSupplier clock) {
        long begin = clock.getAsLong();
        for (int i = 0; i < times; i++) {
            try (var scope = new Scope()) {
                operator.get();
            }
        }
        return (clock.getAsLong() - begin) / 1e9 / times;
    }

    /**
     * The operator as Sfumato's networks call it, over inputs drawn from seed 0.
     *
     * @param kind {@code conv} of sizes batch, in, side, out, kernel, stride; {@code linear} of rows, in, out; {@code attention} of batch,
     *     heads, queries, keys, width of a head; {@code groupnorm}, which silu follows, of batch, channels, side;
     *     {@code layernorm} of rows, width; {@code geglu} of rows, width
     * @throws IllegalArgumentException for another kind
     */
    static Supplier<Tensor> operator(String kind, DType type, long... n) {
        try (Rng rng = new Rng(0)) {
            switch (kind) {
                case "conv" -> {
                    Tensor x = rng.randn(n[0], n[1], n[2], n[2]).to(type).channelsLast();
                    Tensor weight = weight(rng, type, n[3], n[1], n[4], n[4]).channelsLast(), bias = rng.randn(n[3]).to(type);
                    return () -> Functional.conv2d(x, weight, bias, n[5], n[4] / 2);
                }
                case "linear" -> {
                    Tensor x = rng.randn(n[0], n[1]).to(type), weight = weight(rng, type, n[2], n[1]), bias = rng.randn(n[2]).to(type);
                    return () -> Functional.linear(x, weight, bias);
                }
                case "attention" -> {
                    long width = n[1] * n[4];
                    Tensor q = rng.randn(n[0], n[2], width).to(type);
                    Tensor k = rng.randn(n[0], n[3], width).to(type), v = rng.randn(n[0], n[3], width).to(type);
                    return () -> Attention.multiHead(q, k, v, (int) n[1]);
                }
                case "groupnorm" -> {
                    Tensor x = rng.randn(n[0], n[1], n[2], n[2]).to(type).channelsLast();
                    Tensor weight = rng.randn(n[1]).to(type), bias = rng.randn(n[1]).to(type);
                    return () -> Functional.groupNorm(x, 32, weight, bias, 1e-5).silu_();
                }
                case "layernorm" -> {
                    Tensor x = rng.randn(n[0], n[1]).to(type), weight = rng.randn(n[1]).to(type), bias = rng.randn(n[1]).to(type);
                    return () -> Functional.layerNorm(x, weight, bias, 1e-5);
                }
                case "geglu" -> {
                    Tensor x = rng.randn(n[0], 2 * n[1]).to(type);
                    return () -> {
                        Tensor[] h = x.chunk(2, -1);
                        return h[1].gelu().mul_(h[0]);
                    };
                }
                default -> throw new IllegalArgumentException(
                        "there is no operator '" + kind + "': conv, linear, attention, groupnorm, layernorm or geglu");
            }
        }
    }

    /** Random, and such that outputs are about as large as inputs. */
    private static Tensor weight(Rng rng, DType type, long... shape) {
        long fanIn = Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact);
        return rng.randn(shape).mul(1 / Math.sqrt(fanIn)).to(type);
    }
}
