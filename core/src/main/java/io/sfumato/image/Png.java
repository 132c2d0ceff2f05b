package io.sfumato.image;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/** PNG files (W3C PNG, third edition): chunks, texts and EXIF; {@link PngPixels} has the pixels. */
final class Png {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int MAX_TEXT = 16 << 20;                          // characters of all texts, inflated
    private static final int CHUNK = 1 << 20;                              // the most of the pixels in one chunk that is written

    private final Source source;
    private final Map<String, String> text = new LinkedHashMap<>();
    private int textBudget = MAX_TEXT;

    private Png(Source source) {
        this.source = source;
    }

    static boolean matches(byte[] data) {
        return Bytes.startsWith(data, 0, SIGNATURE);
    }

    static ImageFile decode(Source source) {
        return new Png(source).decode();
    }

    private ImageFile decode() {
        byte[] data = source.data();
        PngPixels.Header header = null;
        byte[] palette = {};
        byte[] transparency = {};
        var exif = Exif.NONE;
        var pixels = new ByteArrayOutputStream();
        for (int at = SIGNATURE.length;;) {
            if (at > data.length - 12) {
                throw source.endsEarly();
            }
            int length = Bytes.i32(data, at);
            String type = Bytes.latin1(data, at + 4, at + 8);
            if (length < 0 || length > data.length - at - 12) {
                throw source.endsEarly();
            }
            if (!type.chars().allMatch(c -> c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')) {
                throw source.bad("damaged: no PNG chunk at byte " + at);
            }
            byte[] body = Arrays.copyOfRange(data, at + 8, at + 8 + length);
            boolean critical = (type.charAt(0) & 0x20) == 0;
            boolean intact = crc(data, at + 4, length + 4) == Bytes.i32(data, at + 8 + length);
            if (!intact && critical) {
                throw source.bad("damaged: the check sum of chunk " + type + " at byte " + at + " is wrong");
            }
            if (header == null && !type.equals("IHDR")) {
                throw source.bad("damaged: a PNG begins with chunk IHDR, not " + type);
            }
            switch (intact ? type : "") {
                case "IHDR" -> header = PngPixels.Header.parse(source, body);
                case "PLTE" -> palette = body;
                case "tRNS" -> transparency = body;
                case "IDAT" -> pixels.writeBytes(body);
                case "eXIf" -> exif = Exif.parse(body);
                case "tEXt", "zTXt", "iTXt" -> readText(type, body);
                case "IEND" -> {
                    var image = new PngPixels(source, header, palette, transparency).decode(pixels.toByteArray());
                    return new ImageFile(exif.upright(image), text);
                }
                default -> {
                    if (critical) {
                        throw source.bad("has the unknown critical chunk " + type + " at byte " + at);
                    }
                }
            }
            at += 12 + length;
        }
    }

    /** A text chunk that does not keep the format is left out: it says nothing about the pixels. */
    private void readText(String type, byte[] body) {
        int keywordEnd = zero(body, 0);
        if (keywordEnd < 0) {
            return;
        }
        String keyword = Bytes.latin1(body, 0, keywordEnd);
        int from = keywordEnd + 1;
        boolean compressed = type.equals("zTXt");
        if (compressed) {
            from += 1;                                                     // the compression method, always deflate
        } else if (type.equals("iTXt")) {
            int languageEnd = zero(body, from + 2);
            int translationEnd = languageEnd < 0 ? -1 : zero(body, languageEnd + 1);
            if (translationEnd < 0) {
                return;
            }
            compressed = body[from] == 1;
            from = translationEnd + 1;
        }
        if (from > body.length) {
            return;
        }
        byte[] value = Arrays.copyOfRange(body, from, body.length);
        var charset = type.equals("iTXt") ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
        try {
            text.putIfAbsent(keyword, new String(spend(keyword, compressed ? inflate(value) : value), charset));
        } catch (IOException e) {
            return;                                                        // not deflate data
        }
    }

    private byte[] inflate(byte[] value) throws IOException {
        try (var in = new InflaterInputStream(new ByteArrayInputStream(value))) {
            return in.readNBytes(textBudget + 1);
        }
    }

    private byte[] spend(String keyword, byte[] value) {
        textBudget -= value.length;
        if (textBudget < 0) {
            throw source.bad("its texts are longer than " + MAX_TEXT + " bytes at '" + keyword.lines().findFirst().orElse("") + "'");
        }
        return value;
    }

    private static int zero(byte[] data, int from) {
        for (int i = from; i < data.length; i++) {
            if (data[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static int crc(byte[] data, int from, int length) {
        var crc = new CRC32();
        crc.update(data, from, length);
        return (int) crc.getValue();
    }

    static void encode(ImageFile file, OutputStream out) throws IOException {
        Image image = file.image();
        out.write(SIGNATURE);
        var header = new ByteArrayOutputStream();
        Bytes.writeI32(header, image.width());
        Bytes.writeI32(header, image.height());
        header.writeBytes(new byte[] {8, (byte) (image.hasAlpha() ? 6 : 2), 0, 0, 0});
        writeChunk(out, "IHDR", header.toByteArray());
        for (Map.Entry<String, String> entry : file.text().entrySet()) {
            writeText(out, entry.getKey(), entry.getValue());
        }
        var deflater = new Deflater(6);
        try (var rows = new BufferedOutputStream(new DeflaterOutputStream(new Chunks(out), deflater, 1 << 16), 1 << 16)) {
            PngPixels.filter(image, rows);
        } finally {
            deflater.end();
        }
        writeChunk(out, "IEND", new byte[0]);
    }

    /** Deflated pixels as chunks of a mebibyte: a large picture is in memory once, as it is. */
    private static final class Chunks extends OutputStream {
        private final OutputStream out;
        private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();

        Chunks(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] data, int from, int length) throws IOException {
            waiting.write(data, from, length);
            if (waiting.size() >= CHUNK) {
                close();
            }
        }

        /** Ends the chunk; {@code out} stays open. */
        @Override
        public void close() throws IOException {
            if (waiting.size() > 0) {
                writeChunk(out, "IDAT", waiting.toByteArray());
                waiting.reset();
            }
        }
    }

    private static void writeText(OutputStream out, String keyword, String value) throws IOException {
        if (keyword.isEmpty() || keyword.length() > 79 || !keyword.equals(keyword.strip()) || !keyword.chars().allMatch(Png::printable)) {
            throw new IllegalArgumentException("'" + keyword + "' is no PNG keyword: 1 to 79 Latin-1 characters expected");
        }
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the text '" + keyword + "' has a NUL character, which a PNG cannot hold");
        }
        var body = new ByteArrayOutputStream();
        body.writeBytes(keyword.getBytes(StandardCharsets.ISO_8859_1));
        body.write(0);
        boolean latin1 = value.chars().allMatch(c -> c < 256);
        if (!latin1) {
            body.writeBytes(new byte[4]);                                  // not compressed, no language, no translated keyword
        }
        body.writeBytes(value.getBytes(latin1 ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
        writeChunk(out, latin1 ? "tEXt" : "iTXt", body.toByteArray());
    }

    private static boolean printable(int c) {
        return c >= 32 && c <= 126 || c >= 161 && c <= 255;
    }

    private static void writeChunk(OutputStream out, String type, byte[] body) throws IOException {
        var start = new ByteArrayOutputStream();
        Bytes.writeI32(start, body.length);
        start.writeBytes(type.getBytes(StandardCharsets.ISO_8859_1));
        var crc = new CRC32();
        crc.update(start.toByteArray(), 4, 4);
        crc.update(body);
        var end = new ByteArrayOutputStream();
        Bytes.writeI32(end, (int) crc.getValue());
        out.write(start.toByteArray());
        out.write(body);
        out.write(end.toByteArray());
    }
}
