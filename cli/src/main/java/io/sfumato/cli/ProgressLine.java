package io.sfumato.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** One line on a terminal that counts steps and tells the time left; nothing where there is no terminal. */
final class ProgressLine implements AutoCloseable {
    private static final int WIDTH = 30;
    private static final long REDRAW = 100_000_000;

    private final PrintWriter err;
    private final boolean shown;
    private String stage = "";
    private long begin;
    private long first;
    private long drawn;
    private int length;

    ProgressLine(PrintWriter err, boolean shown) {
        this.err = err;
        this.shown = shown;
    }

    /** The launcher knows whether stderr is a terminal; Java only knows it of stdin and stdout together. */
    static boolean onTerminal() {
        return Boolean.parseBoolean(System.getProperty("sfumato.terminal", String.valueOf(System.console() != null)));
    }

    void step(String stage, long done, long total, String note) {
        long now = System.nanoTime();
        if (!stage.equals(this.stage)) {
            this.stage = stage;
            begin = now;
            first = done;
            drawn = 0;
        }
        if (!shown || done < total && now - drawn < REDRAW && drawn != 0) {
            return;
        }
        drawn = now;
        int filled = (int) (WIDTH * done / total);
        // The first step also warms up: the time left is told by the later ones.
        String left = done == first ? "" : time((now - begin) / 1e9 / (done - first) * (total - done)) + " left";
        String bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
        draw("%s %d/%d [%s] %s %s".formatted(stage, done, total, bar, left, note).stripTrailing());
    }

    private void draw(String line) {
        err.print("\r" + line + " ".repeat(Math.max(0, length - line.length())));
        err.flush();
        length = line.length();
    }

    static String time(double seconds) {
        long s = Math.round(seconds);
        return s < 3600 ? String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
    }

    /** Clears the line, for what is printed next. */
    @Override
    public void close() {
        if (length > 0) {
            draw("");
            err.print("\r");
            err.flush();
            length = 0;
        }
    }
}
