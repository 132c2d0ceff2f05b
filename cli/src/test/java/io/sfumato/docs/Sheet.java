package io.sfumato.docs;

import io.sfumato.image.Image;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/** Pictures of one height in rows, each group of them under a label: how the pages of {@code docs} show what options do. */
final class Sheet {
    private static final int LABEL = 16;
    private static final int GAP = 6;

    private record Group(String label, List<Image> pictures) {
        int width() {
            return pictures.stream().mapToInt(Image::width).sum();
        }
    }

    private final int columns;
    private final List<Group> groups = new ArrayList<>();

    /** @param columns groups in a row */
    Sheet(int columns) {
        this.columns = columns;
    }

    void add(String label, Image... pictures) {
        groups.add(new Group(label, List.of(pictures)));
        System.err.println(label);
    }

    /** @param file ends in .png or .jpg */
    void write(Path file) throws IOException {
        int width = groups.stream().mapToInt(Group::width).max().orElse(0) + GAP, tall = groups.get(0).pictures.get(0).height();
        int height = tall + LABEL + GAP, rows = (groups.size() + columns - 1) / columns;
        var sheet = new BufferedImage(Math.min(columns, groups.size()) * width, rows * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = sheet.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        g.setColor(Color.DARK_GRAY);
        for (int i = 0; i < groups.size(); i++) {
            int x = i % columns * width, y = i / columns * height;
            g.drawString(groups.get(i).label, x + 1, y + LABEL - 4);
            for (Image picture : groups.get(i).pictures) {
                g.drawImage(buffered(picture), x, y + LABEL, null);
                x += picture.width();
            }
        }
        String name = file.toString();
        ImageIO.write(sheet, name.substring(name.lastIndexOf('.') + 1), file.toFile());
    }

    private static BufferedImage buffered(Image picture) {
        var copy = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                copy.setRGB(x, y, picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2));
            }
        }
        return copy;
    }
}
