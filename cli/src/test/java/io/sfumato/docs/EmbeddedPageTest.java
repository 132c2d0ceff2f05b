package io.sfumato.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.tensor.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What docs/embedded.md says to those who test with the embedded model. */
class EmbeddedPageTest {
    @Test
    void showsTheExampleAsItIsRun() throws IOException {
        String source = Files.readString(Path.of("src/test/java/io/sfumato/docs/PosterServiceTest.java"));
        assertThat(Files.readString(Path.of("../docs/embedded.md"))).containsSubsequence("```java\n",
                source.substring(source.indexOf("import static")), "```\n");
    }

    @Test
    void anotherNumberOfThreadsChangesAPictureByAtMostTwoOf255() {
        int before = Engine.threads();
        try (TextToImage model = TextToImage.embedded()) {
            Image one = model.generate(Prompt.of("a yellow duck"), model.defaults());
            Engine.setThreads(before + 1);
            Image other = model.generate(Prompt.of("a yellow duck"), model.defaults());
            for (int i = 0; i < 64 * 64 * 3; i++) {
                int x = i / 3 % 64, y = i / 192;
                assertThat(Math.abs(one.at(x, y, i % 3) - other.at(x, y, i % 3))).as("%d, %d", x, y).isLessThanOrEqualTo(2);
            }
        } finally {
            Engine.setThreads(before);
        }
    }
}
