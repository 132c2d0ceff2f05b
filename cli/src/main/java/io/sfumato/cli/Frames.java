package io.sfumato.cli;

import io.sfumato.Prompt;
import io.sfumato.Turn;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/** Pictures along a way from one image embedding to another, all of one seed; and all pictures as one sheet. */
final class Frames {
    /** Where a text diff ends (Ramesh et al. 2022, 3.3, have 0.25 to 0.5). */
    private static final double END_OF_DIFFERENCE = 0.5;

    private List<Integer> frames = List.of();
    private List<Path> sheet = List.of();

    @Option(order = 43, names = "--frames", paramLabel = "N",
            description = "N pictures from one seed on the way to the second --like or --to: NAME-1.png ... NAME-N.png")
    private void frames(int count) {
        frames = List.of(count);
    }

    @Option(order = 14, names = "--sheet", paramLabel = "FILE",
            description = "also write all pictures as one: a row for each seed of --frames, else nearly a square")
    private void sheet(Path file) {
        sheet = List.of(file);
    }

    boolean given() {
        return !frames.isEmpty();
    }

    /** The pictures of what is asked for along its way. */
    List<Asked> of(Asked asked, boolean saysHowFar) {
        int n = frames.get(0);
        Turn turn = asked.prompt().turn();
        if (n < 2 || n > 1000) {
            throw new IllegalArgumentException("frames must be 2 to 1000, not " + n);
        }
        if (turn.kind() == Turn.Kind.NONE) {
            throw new IllegalArgumentException("--frames has no way to go: a second --like or --to is wanted");
        }
        double end = saysHowFar ? turn.share() : turn.kind() == Turn.Kind.DIFFERENCE ? END_OF_DIFFERENCE : 1;
        return IntStream.range(0, n).mapToObj(i -> {
            Prompt there = asked.prompt().at(end * i / (n - 1));
            return new Asked(asked.spec(), asked.where(), there, asked.change());
        }).toList();
    }

    void requireWritable() {
        sheet.forEach(file -> {
            Targets.pictures(file, 1);
            Targets.requireWritable(file);
        });
    }

    /** Writes the sheet of the pictures in these files, if it is wanted. */
    void write(List<Path> files) {
        for (Path file : sheet) {
            List<Image> pictures = files.stream().map(Image::read).toList();
            int columns = given() ? frames.get(0) : (int) Math.ceil(Math.sqrt(pictures.size())), rows = pictures.size() / columns;
            List<Image> placed = !given() ? pictures : IntStream.range(0, pictures.size())
                    .mapToObj(i -> pictures.get(i % columns * rows + i / columns)).toList();
            Image.grid(placed, columns).write(file);
        }
    }
}
