package io.sfumato.families;

import io.sfumato.Cancelled;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Draws 200 pictures of three sizes, cancels every tenth, and prints the anonymous kB after 50 and 200: run by {@link SoakTest}. */
final class TwoHundredPictures {
    private TwoHundredPictures() {
    }

    public static void main(String[] args) throws IOException {
        try (TextToImage model = TextToImage.load(args[0])) {
            for (int i = 1; i <= 200; i++) {
                draw(model, i);
                if (i == 50 || i == 200) {
                    System.out.println(anonymous());
                }
            }
        }
    }

    private static void draw(TextToImage model, int i) {
        int size = 32 + 16 * (i % 3);
        boolean cancelled = i % 10 == 0;
        try {
            model.generate(Prompt.of("a red apple"), Options.defaults().withSize(size, size).withSteps(1).withSeed(i), new Listener() {
                @Override
                public void onStep(Step step) {
                    if (cancelled) {
                        throw new Cancelled();
                    }
                }
            });
        } catch (Cancelled e) {
            if (!cancelled) {
                throw e;
            }
        }
    }

    private static long anonymous() throws IOException {
        Path status = Path.of("/proc/self/status");
        return !Files.exists(status) ? 1 : Files.readAllLines(status).stream().filter(l -> l.startsWith("RssAnon:"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).sum();
    }
}
