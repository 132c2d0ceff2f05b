package io.sfumato.training.data;

import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * CUB-200-2011 and Oxford-102 with the captions of Reed et al. (2016): {@code text_c10/CLASS/NAME.txt} has ten lines about picture NAME,
 * which is {@code images/CLASS/NAME.jpg} of the birds and {@code jpg/NAME.jpg} of the flowers.
 */
public final class ReedCaptions {
    private ReedCaptions() {
    }

    /**
     * The birds in the order of {@code images.txt}.
     *
     * @param root  the folder with images, images.txt and text_c10
     * @param which of them: {@link Which#ALL}, or a side of {@code train_test_split.txt}
     */
    public static List<Captioned> birds(Path root, Which which) {
        Lines images = Lines.of(root.resolve("images.txt"));
        Set<String> training = which == Which.ALL ? Set.of() : training(root.resolve("train_test_split.txt"));
        List<Captioned> birds = new ArrayList<>();
        for (int line = 0; line < images.count(); line++) {
            if (images.isBlank(line)) {
                continue;
            }
            String[] pair = images.pair(line);
            if (which == Which.ALL || training.contains(pair[0]) == (which == Which.TRAINING)) {
                Path picture = Pictures.within(root.resolve("images"), pair[1]);
                Path text = Pictures.within(root.resolve("text_c10"), pair[1].replaceFirst("\\.[^./]+$", "") + ".txt");
                birds.add(new Captioned(pair[1], Lines.of(text).texts(), () -> Image.read(picture)));
            }
        }
        return birds;
    }

    /** Which side of the split. */
    public enum Which {
        ALL, TRAINING, TEST
    }

    private static Set<String> training(Path file) {
        Lines split = Lines.of(file);
        Set<String> training = new HashSet<>();
        for (int line = 0; line < split.count(); line++) {
            if (!split.isBlank(line)) {
                String[] pair = split.pair(line);
                if (!pair[1].equals("0") && !pair[1].equals("1")) {
                    throw split.bad(line, "'" + pair[1] + "' where 1 (training) or 0 (test) is wanted");
                }
                if (pair[1].equals("1")) {
                    training.add(pair[0]);
                }
            }
        }
        return training;
    }

    /**
     * The flowers, by class and name.
     *
     * @param root the folder with jpg and text_c10
     */
    public static List<Captioned> flowers(Path root) {
        TreeMap<String, Captioned> flowers = new TreeMap<>();
        Path texts = root.resolve("text_c10");
        for (Path text : FolderWalk.files(texts, ".txt")) {
            String name = text.getFileName().toString().replace(".txt", "");
            flowers.put(texts.relativize(text).toString(),
                    new Captioned(name, Lines.of(text).texts(), () -> Image.read(Pictures.find(root.resolve("jpg"), name))));
        }
        return List.copyOf(flowers.values());
    }

    /** The classes listed in a file such as {@code trainvalclasses.txt}, one a line: Reed's splits keep whole classes back. */
    public static List<Captioned> ofClasses(List<Captioned> birds, Path classes) {
        Set<String> kept = new HashSet<>(Lines.of(classes).texts());
        return birds.stream().filter(b -> kept.contains(b.name().replaceFirst("/.*", ""))).toList();
    }
}
