package io.sfumato.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadersTest {
    @TempDir
    Path folder;

    @Test
    void cocoCaptionsAreGatheredByImage() throws IOException {
        picture("val/000000000007.png", 0xFF0000);
        picture("val/000000000009.png", 0x00FF00);
        Path json = text("captions.json", """
                {"info": {}, "licenses": [], "images": [{"id": 7, "file_name": "000000000007.png", "height": 4, "width": 6},
                  {"id": 9, "file_name": "000000000009.png"}, {"id": 11, "file_name": "000000000011.png"}],
                 "annotations": [{"id": 1, "image_id": 9, "caption": "A green field."},
                  {"id": 2, "image_id": 7, "caption": "a red wall\\n"}, {"id": 4, "image_id": 8, "caption": "lost"},
                  {"id": 3, "image_id": 9, "caption": "grass"}]}
                """);
        List<Captioned> read = CocoCaptions.read(json, folder.resolve("val"));
        assertThat(read).extracting(Captioned::name).containsExactly("000000000007.png", "000000000009.png");
        assertThat(read.get(0).captions()).containsExactly("a red wall");
        assertThat(read.get(1).captions()).containsExactly("A green field.", "grass");
        assertThat(read.get(1).image().at(0, 0, 1)).isEqualTo(255);
    }

    @Test
    void wrongCocoFilesAreNamed() throws IOException {
        Path listless = text("a.json", "{\"images\": []}");
        assertThatThrownBy(() -> CocoCaptions.read(listless, folder))
                .hasMessage(listless + ": no list 'annotations': COCO captions have images and annotations");
        Path stray = text("b.json", "{\"images\": [], \"annotations\": [{\"image_id\": 5, \"caption\": \"x\"}]}");
        refuses(() -> CocoCaptions.read(stray, folder), stray + ": no caption belongs to any of its 0 images");
        Path nameless = text("c.json", "{\"images\": [{\"id\": 5}], \"annotations\": []}");
        assertThatThrownBy(() -> CocoCaptions.read(nameless, folder))
                .hasMessage(nameless + ": an entry of 'images' without a text 'file_name': {\"id\":5}");
        Path numberless = text("d.json", "{\"images\": [{\"id\": \"5\"}], \"annotations\": []}");
        assertThatThrownBy(() -> CocoCaptions.read(numberless, folder))
                .hasMessage(numberless + ": an entry of 'images' without a whole number 'id': {\"id\":\"5\"}");
        Path instances = text("f.json",
                "{\"images\": [], \"annotations\": [{\"image_id\": 5, \"segmentation\": \"" + "x".repeat(99) + "\"}]}");
        refuses(() -> CocoCaptions.read(instances, folder), instances + ": an entry of 'annotations' without a text 'caption': "
                + "{\"image_id\":5,\"segmentation\":\"" + "x".repeat(70) + "...");
        Path broken = text("e.json", "{\"images\": [");
        assertThatThrownBy(() -> CocoCaptions.read(broken, folder)).isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(broken + ": no JSON: ");
    }

    @Test
    void birdsComeInReedsLayout() throws IOException {
        picture("images/001.Crow/Crow_0001.png", 0x000000);
        picture("images/002.Swan/Swan_0001.png", 0xFFFFFF);
        text("images.txt", "1 001.Crow/Crow_0001.png\n2 002.Swan/Swan_0001.png\n");
        text("train_test_split.txt", "1 1\n2 0\n");
        text("text_c10/001.Crow/Crow_0001.txt", "this bird is black.\n\na black bird with a black bill\n");
        text("text_c10/002.Swan/Swan_0001.txt", "a white bird\n");
        assertThat(ReedCaptions.birds(folder, ReedCaptions.Which.ALL)).hasSize(2);
        assertThat(ReedCaptions.birds(folder, ReedCaptions.Which.TEST)).extracting(Captioned::name)
                .containsExactly("002.Swan/Swan_0001.png");
        Captioned crow = ReedCaptions.birds(folder, ReedCaptions.Which.TRAINING).get(0);
        assertThat(crow.captions()).containsExactly("this bird is black.", "a black bird with a black bill");
        assertThat(crow.image().at(0, 0, 0)).isZero();
        Path classes = text("trainclasses.txt", "002.Swan\n");
        assertThat(ReedCaptions.ofClasses(ReedCaptions.birds(folder, ReedCaptions.Which.ALL), classes)).hasSize(1);
    }

    @Test
    void wrongBirdsAreNamed() throws IOException {
        Path images = text("images.txt", "1 001.Crow/Crow_0001.png\n\n2\n");
        text("text_c10/001.Crow/Crow_0001.txt", "a crow\n");
        refuses(() -> ReedCaptions.birds(folder, ReedCaptions.Which.ALL), images + ": line 3: '2' where a number and a name are wanted");
        Path split = text("train_test_split.txt", "1 yes\n");
        refuses(() -> ReedCaptions.birds(folder, ReedCaptions.Which.TEST),
                split + ": line 1: 'yes' where 1 (training) or 0 (test) is wanted");
        text("images.txt", "1 001.Crow/Crow_0002.png\n");
        refuses(() -> ReedCaptions.birds(folder, ReedCaptions.Which.ALL),
                folder.resolve("text_c10/001.Crow/Crow_0002.txt") + ": there is no such file");
        text("images.txt", "1 ../../secret.png\n");
        refuses(() -> ReedCaptions.birds(folder, ReedCaptions.Which.ALL),
                folder.resolve("images") + ": the picture '../../secret.png' lies outside of the folder");
    }

    @Test
    void flowersAreFoundByTheirTexts() throws IOException {
        picture("jpg/image_00001.png", 0xFF00FF);
        text("text_c10/class_00077/image_00001.txt", "the petals are pink\nthis flower is pink\n");
        List<Captioned> flowers = ReedCaptions.flowers(folder);
        assertThat(flowers).hasSize(1);
        assertThat(flowers.get(0).captions()).hasSize(2);
        assertThat(flowers.get(0).image().at(1, 1, 2)).isEqualTo(255);
        text("text_c10/class_00077/image_00002.txt", "\n");
        refuses(() -> ReedCaptions.flowers(folder), folder.resolve("text_c10/class_00077/image_00002.txt") + ": no captions in it");
        text("text_c10/class_00077/image_00002.txt", "a lost flower\n");
        refuses(() -> ReedCaptions.flowers(folder).get(1).image(),
                folder.resolve("jpg") + ": no picture image_00002 (.jpg, .jpeg, .png, .webp)");
    }

    @Test
    void narrativesOfOnePictureAreTogether() throws IOException {
        picture("val/000000000042.png", 0x0000FF);
        Path jsonl = text("narratives.jsonl", """
                {"dataset_id": "coco_val", "image_id": "42", "annotator_id": 3, "caption": "In this image there is water.", "traces": []}

                {"dataset_id": "mscoco_val2017", "image_id": "42", "annotator_id": 4, "caption": "This is the sea."}
                """);
        List<Captioned> read = LocalizedNarratives.read(jsonl, folder.resolve("val"));
        assertThat(read).hasSize(1);
        assertThat(read.get(0).captions()).containsExactly("In this image there is water.", "This is the sea.");
        assertThat(read.get(0).image().at(0, 0, 2)).isEqualTo(255);
    }

    @Test
    void wrongNarrativesAreNamed() throws IOException {
        Path jsonl = text("n.jsonl", "{\"image_id\": \"1\", \"caption\": \"x\"}\n{\"image_id\": \"2\"}\n");
        refuses(() -> LocalizedNarratives.read(jsonl, folder), jsonl + ": line 2: no text under 'caption'; its keys are image_id");
        text("n.jsonl", "[]\n");
        refuses(() -> LocalizedNarratives.read(jsonl, folder), jsonl + ": line 1: a JSON object is wanted");
        text("n.jsonl", "{\"image_id\": \n");
        assertThatThrownBy(() -> LocalizedNarratives.read(jsonl, folder)).hasMessageStartingWith(jsonl + ": line 1: no JSON: ");
        Files.write(jsonl, new byte[] {(byte) 0xff, (byte) 0xfe, 10});
        refuses(() -> LocalizedNarratives.read(jsonl, folder), jsonl + ": the text is not UTF-8");
    }

    @Test
    void aFolderHasTextsBesidePicturesOrInOneFile() throws IOException {
        picture("b/two.png", 0x00FF00);
        picture("one.png", 0xFF0000);
        text("one.txt", "a red square\n");
        Path two = text("b/two.txt", "a green square\nsomething green\n");
        assertThat(ImageFolder.read(folder)).extracting(Captioned::name).containsExactly("b/two.png", "one.png");
        assertThat(ImageFolder.read(folder).get(0).captions()).hasSize(2);
        Files.delete(two);
        refuses(() -> ImageFolder.read(folder), folder.resolve("b/two.png") + ": no caption: two.txt beside it or metadata.jsonl in "
                + folder + " is wanted");
        Path metadata = text("metadata.jsonl", """
                {"file_name": "one.png", "text": "red"}
                {"file_name": "one.png", "text": "scarlet"}
                """);
        assertThat(ImageFolder.read(folder)).hasSize(1);
        assertThat(ImageFolder.read(folder).get(0).captions()).containsExactly("red", "scarlet");
        assertThat(ImageFolder.read(folder).get(0).image().at(0, 0, 0)).isEqualTo(255);
        text("metadata.jsonl", "{\"file_name\": \"three.png\", \"text\": \"blue\"}\n");
        refuses(() -> ImageFolder.read(folder), metadata + ": line 1: there is no picture " + folder.resolve("three.png"));
    }

    @Test
    void aFolderWithoutPicturesIsNamed() {
        refuses(() -> ImageFolder.read(folder), folder + ": no pictures in it");
        refuses(() -> ImageFolder.read(folder.resolve("nowhere")), folder.resolve("nowhere") + ": there is no such folder");
    }

    @Test
    void samplesOfAnArchiveShareTheirNames() throws IOException {
        byte[] png = Files.readAllBytes(picture("x.png", 0xFFFF00));
        Path tar = folder.resolve("set.tar");
        try (var out = Files.newOutputStream(tar)) {
            Tar.write(out, "a/0001.png", png);
            Tar.write(out, "a/0001.txt", bytes("a yellow square\n"));
            Tar.write(out, "a/0002.json", bytes("{\"caption\": \"yellow\", \"other\": 1}"));
            Tar.write(out, "a/0002.jpg", png);
            Tar.end(out);
        }
        List<Captioned> read = WebDataset.read(List.of(tar, tar));
        assertThat(read).extracting(Captioned::name).containsExactly("a/0001", "a/0002", "a/0001", "a/0002");
        assertThat(read).extracting(c -> c.captions().get(0)).containsExactly("a yellow square", "yellow", "a yellow square", "yellow");
        assertThat(read.get(1).image().at(0, 0, 1)).isEqualTo(255);
    }

    @Test
    void longNamesOfGnuAndPaxAreRead() throws IOException {
        Path tar = folder.resolve("long.tar");
        String name = "d".repeat(120) + "/0001.txt";
        try (var out = Files.newOutputStream(tar)) {
            byte[] header = archived("././@LongLink", bytes(name + "\0"), 'L');
            out.write(header);
            Tar.write(out, "cut", bytes("gnu"));
            out.write(archived("pax", bytes("141 path=" + name + "\n"), 'x'));
            Tar.write(out, "cut", bytes("pax"));
            Tar.end(out);
        }
        assertThat(Tar.list(tar)).extracting(Tar.Entry::name).containsExactly(name, name);
        assertThat(Tar.list(tar).get(1).bytes()).isEqualTo(bytes("pax"));
    }

    @Test
    void wrongArchivesAreNamed() throws IOException {
        Path text = text("text.tar", "x".repeat(600));
        refuses(() -> WebDataset.read(List.of(text)), text + ": no tar archive: the header at byte 0 is damaged");
        Path tar = folder.resolve("set.tar");
        try (var out = Files.newOutputStream(tar)) {
            Tar.write(out, "0001.txt", bytes("no picture"));
            Tar.end(out);
        }
        refuses(() -> WebDataset.read(List.of(tar)), tar + ": sample 0001 has no picture, only [.txt]");
        Files.write(tar, java.util.Arrays.copyOf(Files.readAllBytes(tar), 515));
        refuses(() -> WebDataset.read(List.of(tar)), tar + ": the archive ends early, within 0001.txt");
        try (var out = Files.newOutputStream(tar)) {
            Tar.write(out, "0001.png", Files.readAllBytes(picture("y.png", 0)));
            Tar.end(out);
        }
        refuses(() -> WebDataset.read(List.of(tar)), tar + ": sample 0001 has no caption: .txt or .json is wanted, it has [.png]");
        refuses(() -> WebDataset.read(List.of(folder.resolve("none.tar"))), folder.resolve("none.tar") + ": there is no such file");
    }

    /** A tar header and its bytes, of a kind that {@link Tar#write} does not write. */
    private static byte[] archived(String name, byte[] bytes, char kind) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        Tar.write(out, name, bytes);
        byte[] all = out.toByteArray();
        all[156] = (byte) kind;
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? ' ' : all[i] & 255;
        }
        System.arraycopy(bytes(String.format("%06o", sum)), 0, all, 148, 6);
        return all;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Path text(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private Path picture(String name, int rgb) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Image.filled(6, 4, rgb).write(file);
        return file;
    }

    private static void refuses(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }
}
