package io.sfumato.fuzz;

import io.sfumato.image.BadImageException;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process of its own that hands spoilt files to every reader: each must be read to the last byte or refused in one line within ten
 * seconds. What is neither ends the process, and the file is left in the folder.
 */
final class Fuzzing {
    private static final Set<Class<?>> REFUSALS =
            Set.of(CheckpointException.class, BadImageException.class, IllegalArgumentException.class, UncheckedIOException.class);
    private static final long LONGEST = 10_000_000_000L;

    private Fuzzing() {
    }

    /** Takes a folder for files, how many each reader gets, and the names of readers where not all are meant. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        int count = Integer.parseInt(args[1]);
        Engine.load();
        AtomicLong began = new AtomicLong(System.nanoTime()), used = new AtomicLong();
        Thread reading = Thread.currentThread();
        Thread watch = new Thread(() -> watch(reading, began, used));
        watch.setDaemon(true);
        watch.start();
        List<String> named = List.of(args).subList(2, args.length);
        for (Reader reader : Readers.all()) {
            if (named.isEmpty() || named.contains(reader.name())) {
                System.out.println(reader.name() + ": " + run(reader, folder, count, began, used));
            }
        }
    }

    private static String run(Reader reader, Path folder, int count, AtomicLong began, AtomicLong used) throws IOException {
        int accepted = 0;
        List<byte[]> seeds = reader.seeds().stream().map(Fuzzing::bytes).toList();
        for (int i = 0; i < count; i++) {
            Random random = new Random(31L * i + reader.name().hashCode());
            int seed = random.nextInt(seeds.size());
            String name = reader.seeds().get(seed).getFileName().toString();
            Path file = folder.resolve("spoilt-" + name);
            Files.write(file, reader.spoil().apply(new Mutation(random), seeds.get(seed), name));
            began.set(System.nanoTime());
            used.set(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
            try {
                reader.taking().read(file, name);
                accepted++;
            } catch (Throwable e) {
                if (!REFUSALS.contains(e.getClass()) || e.getMessage() == null || e.getMessage().isBlank()
                        || e.getMessage().lines().count() > 1) {
                    System.out.println(reader.name() + ": file " + i + " (" + name + ") is neither read nor refused in one line: " + e);
                    e.printStackTrace(System.out);
                    System.exit(1);
                }
            }
            Files.delete(file);
        }
        return accepted + " of " + count + " read, the others refused";
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A busy machine lets a process wait: the seconds are the reading thread's own, and many more by the clock. */
    private static void watch(Thread reading, AtomicLong began, AtomicLong used) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        while (threads.getThreadCpuTime(reading.getId()) - used.get() < LONGEST && System.nanoTime() - began.get() < 30 * LONGEST) {
            try {
                Thread.sleep(500);
            } catch (InterruptedException e) {
                return;
            }
        }
        System.out.println("a file took more than ten seconds:");
        List.of(reading.getStackTrace()).forEach(frame -> System.out.println("\tat " + frame));
        Runtime.getRuntime().halt(2);
    }
}
