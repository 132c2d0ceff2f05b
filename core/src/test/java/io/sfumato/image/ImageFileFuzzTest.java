package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileFuzzTest {
    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "interlaced.png", "palettealpha.png", "grey4key.png", "text.png", "orientation6.png", "rgb.jpg",
        "progressive.jpg", "cmyk.jpg", "ycck.jpg", "grey.jpg", "comment-le.jpg", "orientation8.jpg", "lossy.webp", "alpha.webp",
        "alphalossy.webp", "comment-be.webp"})
    void mutationsGiveAPictureOrTheClearError(String name) {
        byte[] whole = Fixtures.bytes(name);
        var random = new Random(name.hashCode());
        for (int i = 0; i < 400; i++) {
            byte[] data = mutate(random, whole);
            try {
                ImageFile file = ImageFile.decode(new Source(name, data, 1 << 20));
                assertThat(file.image().width() * file.image().height()).isPositive();
                GenerationParameters.of(file);
            } catch (BadImageException e) {
                assertThat(e.getMessage()).startsWith(name + ": ").doesNotContain("\n");
            } catch (RuntimeException e) {
                fail("mutation " + i, e);
            }
        }
    }

    private static byte[] mutate(Random random, byte[] whole) {
        byte[] data = whole.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(data.length);
            switch (random.nextInt(5)) {
                case 0 -> data[at] = (byte) random.nextInt();
                case 1 -> data[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> Arrays.fill(data, at, Math.min(data.length, at + 1 + random.nextInt(8)), (byte) -random.nextInt(2));
                case 3 -> System.arraycopy(whole, random.nextInt(whole.length - 8), data, at, Math.min(8, data.length - at));
                default -> data = Arrays.copyOf(data, random.nextInt(4) == 0 ? at + 1 : data.length);
            }
        }
        if (Png.matches(data) && random.nextInt(4) > 0) {
            repairCheckSums(data);                                         // or no change would get past them
        }
        return data;
    }

    private static void repairCheckSums(byte[] png) {
        for (int at = 8; at <= png.length - 12;) {
            int length = Bytes.i32(png, at);
            if (length < 0 || length > png.length - at - 12) {
                return;
            }
            var crc = new CRC32();
            crc.update(png, at + 4, length + 4);
            for (int i = 0; i < 4; i++) {
                png[at + 8 + length + i] = (byte) (crc.getValue() >> 24 - 8 * i);
            }
            at += 12 + length;
        }
    }
}
