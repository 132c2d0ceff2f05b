import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * Draws montage.jpg of docs/samplers.md: what each sampler makes of the same noise in 8, 15 and 30 steps, with the embedded model.
 * Run it from the project's folder once it is built: {@code java -cp "cli/target/*:cli/target/lib/*" docs/samplers/Montage.java}.
 */
class Montage {
    private static final List<String> SAMPLERS = List.of("DDIM", "PLMS", "Euler", "Heun", "LMS", "DPM2", "DPM++ 2M", "DPM++ 2M Karras",
            "UniPC", "DEIS", "DPM fast", "DPMSolverSinglestepScheduler", "Euler a", "DPM2 a", "DPM++ 2S a", "DPM++ SDE", "DPM++ 2M SDE",
            "DPM++ 3M SDE", "SA Solver", "Restart", "DPM adaptive", "DDPM");
    private static final int[] STEPS = {8, 15, 30};
    private static final int SIZE = 64;
    private static final int LABEL = 16;
    private static final int GAP = 6;
    private static final int COLUMNS = 4;

    public static void main(String[] args) throws Exception {
        int width = STEPS.length * SIZE + GAP;
        int rows = (SAMPLERS.size() + COLUMNS - 1) / COLUMNS;
        var montage = new BufferedImage(COLUMNS * width, rows * (SIZE + LABEL + GAP), BufferedImage.TYPE_INT_RGB);
        Graphics2D g = montage.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, montage.getWidth(), montage.getHeight());
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        try (TextToImage model = TextToImage.embedded()) {
            for (int i = 0; i < SAMPLERS.size(); i++) {
                int x = i % COLUMNS * width;
                int y = i / COLUMNS * (SIZE + LABEL + GAP);
                g.setColor(Color.DARK_GRAY);
                g.drawString(SAMPLERS.get(i), x + 1, y + LABEL - 4);
                for (int k = 0; k < STEPS.length; k++) {
                    g.drawImage(picture(model, SAMPLERS.get(i), STEPS[k]), x + k * SIZE, y + LABEL, SIZE, SIZE, null);
                }
                System.err.println(SAMPLERS.get(i));
            }
        }
        ImageIO.write(montage, "jpg", Path.of("docs", "samplers", "montage.jpg").toFile());
    }

    private static BufferedImage picture(TextToImage model, String sampler, int steps) throws Exception {
        Options options = model.defaults().withSampler(sampler).withSteps(steps).withSeed(3);
        Image image = model.generate(Prompt.of("a red apple left of a blue house"), options, Listener.none()).get(0);
        Path file = Files.createTempFile("montage", ".png");
        image.write(file);
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return ImageIO.read(new ByteArrayInputStream(bytes));
    }
}
