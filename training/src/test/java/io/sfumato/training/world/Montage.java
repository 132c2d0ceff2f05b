package io.sfumato.training.world;

import io.sfumato.image.Image;
import io.sfumato.training.scenes.ClipArt;
import java.nio.file.Path;
import java.util.stream.LongStream;

/** Draws contact sheets to look at, and says how fast: arguments are the kind of world (all or sixty), size, first seed, count, file. */
final class Montage {
    private Montage() {
    }

    public static void main(String[] arguments) {
        int size = Integer.parseInt(arguments[1]);
        WorldConfig config = arguments[0].equals("all") ? WorldConfig.all(size) : WorldConfig.sixty(size);
        World world = new World(config, ClipArt.load(Path.of("bundled/src/main/resources/io/sfumato/bundled/clipart")));
        long first = Long.parseLong(arguments[2]), count = Long.parseLong(arguments[3]);
        var scenes = LongStream.range(first, first + count).mapToObj(world::scene).toList();
        Image.grid(scenes.stream().map(s -> Image.of(size, size, 3, s.pixels())).toList(), (int) Math.ceil(Math.sqrt(count)))
                .write(Path.of(arguments[4]));
        scenes.forEach(s -> System.out.println(s.caption() + "   | " + s.background() + " " + s.style() + " " + s.said()));
        for (int repeat = 0; repeat < 3; repeat++) {
            long start = System.nanoTime(), n = 30000 / size;
            LongStream.range(0, n).forEach(world::scene);
            System.out.println(n * 1e9 / (System.nanoTime() - start) + " scenes a second");
        }
    }
}
