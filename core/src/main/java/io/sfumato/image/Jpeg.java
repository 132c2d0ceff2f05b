package io.sfumato.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.spi.IIOServiceProvider;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * JPEG files. The JDK's decoder gives the stored planes; colours are made here, since it knows neither CMYK nor to leave colour
 * profiles alone. Only memory streams are used: the JDK's global disk cache setting stays untouched.
 */
final class Jpeg {
    private static final int APP1 = 0xe1;
    private static final int ADOBE = 0xee;
    private static final int JFIF = 0xe0;
    private static final int START_OF_SCAN = 0xda;
    private static final int END_OF_IMAGE = 0xd9;

    private Jpeg() {
    }

    static boolean matches(byte[] data) {
        return Bytes.startsWith(data, 0, new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff});
    }

    /** How the stored planes become colours. */
    private enum Planes {
        GREY, RGB, YCC, CMYK, YCCK
    }

    /** What the segments before the first scan say. */
    private record Header(int width, int height, Planes planes, Exif exif) {
    }

    static ImageFile decode(Source source) {
        Header header = header(source);
        source.checkSize(header.width, header.height);
        if ((long) header.width * header.height / 512 > source.data().length) {    // a bit at least for each block of 8 x 8
            throw source.endsEarly();
        }
        byte[] planes = planes(source, header);
        var image = new Image(header.width, header.height, 3, colors(planes, header.planes));
        return new ImageFile(header.exif.upright(image), ImageFile.parameters(header.exif.userComment()));
    }

    private static Header header(Source source) {
        byte[] data = source.data();
        var exif = Exif.NONE;
        boolean jfif = false;
        int transform = -1;
        int frame = -1;
        for (int at = 2;;) {
            while (at < data.length - 1 && data[at] == -1 && data[at + 1] == -1) {
                at++;                                                      // fill bytes
            }
            if (at > data.length - 4) {
                throw source.endsEarly();
            }
            int marker = data[at + 1] & 0xff;
            int length = Bytes.u16(data, at + 2);
            int end = at + 2 + length;
            if (data[at] != -1 || length < 2 || marker == END_OF_IMAGE) {
                throw source.bad("damaged: no JPEG segment at byte " + at);
            }
            if (end > data.length) {
                throw source.endsEarly();
            }
            if (marker == START_OF_SCAN) {
                checkEnd(source, end);
                break;
            } else if (marker == APP1 && exif == Exif.NONE) {
                byte[] block = Arrays.copyOfRange(data, at + 4, end);
                exif = Exif.hasHeader(block) ? Exif.parse(block) : exif;
            } else if (marker == JFIF) {
                jfif |= length >= 7 && Bytes.latin1(data, at + 4, at + 8).equals("JFIF");
            } else if (marker == ADOBE && length >= 14 && Bytes.latin1(data, at + 4, at + 9).equals("Adobe")) {
                transform = data[at + 15];
            } else if (isFrame(marker)) {
                frame = at;
            }
            at = end;
        }
        if (frame < 0 || Bytes.u16(data, frame + 2) < 11 || Bytes.u16(data, frame + 2) < 8 + 3 * (data[frame + 9] & 0xff)) {
            throw source.bad("damaged: a JPEG without a whole frame header before its first scan");
        }
        return new Header(Bytes.u16(data, frame + 7), Bytes.u16(data, frame + 5), kind(source, frame, jfif, transform), exif);
    }

    /** A progressive file cut between two scans decodes without a warning, only blurred: the end marker tells. */
    private static void checkEnd(Source source, int from) {
        byte[] data = source.data();
        for (int i = from; i < data.length - 1; i++) {
            if (data[i] == -1 && (data[i + 1] & 0xff) == END_OF_IMAGE) {
                return;
            }
        }
        throw source.endsEarly();
    }

    /** SOF0 to SOF15 without DHT, JPG and DAC, which stand among them. */
    private static boolean isFrame(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }

    /** The rules of libjpeg's {@code default_decompress_parms}. */
    private static Planes kind(Source source, int frame, boolean jfif, int transform) {
        byte[] data = source.data();
        int components = data[frame + 9] & 0xff;
        if (components == 1) {
            return Planes.GREY;
        }
        if (components == 4) {
            return transform == 2 ? Planes.YCCK : Planes.CMYK;
        }
        if (components != 3) {
            throw source.bad("a JPEG of " + components + " components: 1 (grey), 3 (colour) or 4 (CMYK) can be read");
        }
        boolean namedRgb = data[frame + 10] == 'R' && data[frame + 13] == 'G' && data[frame + 16] == 'B';
        boolean rgb = !jfif && (transform == 0 || transform < 0 && namedRgb);
        return rgb ? Planes.RGB : Planes.YCC;
    }

    /** The stored planes, interleaved (H, W, components). */
    private static byte[] planes(Source source, Header header) {
        ImageReader reader = ofTheJdk(ImageIO.getImageReadersByFormatName("jpeg"), ImageReader::getOriginatingProvider);
        List<String> warnings = new ArrayList<>();
        IIOReadWarningListener listener = (from, warning) -> warnings.add(warning);
        try (var in = new MemoryCacheImageInputStream(new ByteArrayInputStream(source.data()))) {
            reader.addIIOReadWarningListener(listener);
            reader.setInput(in, true, true);
            Raster raster = reader.readRaster(0, null);
            for (String warning : warnings) {
                if (warning.contains("remature end")) {
                    throw source.endsEarly();
                }
                if (warning.contains("Huffman")) {
                    throw source.bad("damaged: " + warning);
                }
            }
            byte[] planes = ((DataBufferByte) raster.getDataBuffer()).getData();
            int components = header.planes == Planes.GREY ? 1 : header.planes.ordinal() < Planes.CMYK.ordinal() ? 3 : 4;
            if (raster.getWidth() != header.width || planes.length != header.width * header.height * components) {
                throw source.bad("damaged: it has two frame headers that differ");
            }
            return planes;
        } catch (BadImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {                       // the JDK's decoder throws anything on damaged files
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
            throw source.bad("damaged, or a JPEG of an unusual kind: " + reason);
        } finally {
            reader.dispose();
        }
    }

    /** The JDK's own codec: another on the class path may give other planes or bytes. */
    private static <T> T ofTheJdk(Iterator<T> codecs, Function<T, IIOServiceProvider> provider) {
        while (codecs.hasNext()) {
            T codec = codecs.next();
            if (provider.apply(codec).getClass().getName().startsWith("com.sun.imageio.")) {
                return codec;
            }
        }
        throw new IllegalStateException("this Java has no JPEG codec: its module java.desktop is missing or cut down");
    }

    private static byte[] colors(byte[] planes, Planes kind) {
        return switch (kind) {
            case RGB -> planes;
            case GREY -> {
                byte[] out = new byte[planes.length * 3];
                for (int i = 0; i < planes.length; i++) {
                    Arrays.fill(out, 3 * i, 3 * i + 3, planes[i]);
                }
                yield out;
            }
            case YCC -> {
                byte[] out = new byte[planes.length];
                for (int i = 0; i < planes.length; i += 3) {
                    fromYcc(planes, i, out, i);
                }
                yield out;
            }
            case CMYK, YCCK -> {
                byte[] out = new byte[planes.length / 4 * 3];
                for (int i = 0, o = 0; i < planes.length; i += 4, o += 3) {
                    fromCmyk(planes, i, kind == Planes.YCCK, out, o);
                }
                yield out;
            }
        };
    }

    /** The full-range BT.601 conversion of JFIF, in libjpeg's 16-bit fixed point. */
    private static void fromYcc(byte[] in, int i, byte[] out, int o) {
        int y = in[i] & 0xff;
        int cb = (in[i + 1] & 0xff) - 128;
        int cr = (in[i + 2] & 0xff) - 128;
        out[o] = clamp(y + (91881 * cr + 32768 >> 16));
        out[o + 1] = clamp(y + (-22554 * cb - 46802 * cr + 32768 >> 16));
        out[o + 2] = clamp(y + (116130 * cb + 32768 >> 16));
    }

    /** Inks are stored inverted, as Adobe does and every reader assumes: 255 is no ink. YCCK holds inverted RGB for the first three. */
    private static void fromCmyk(byte[] in, int i, boolean ycck, byte[] out, int o) {
        byte[] paper = {in[i], in[i + 1], in[i + 2]};
        if (ycck) {
            fromYcc(in, i, paper, 0);
            for (int c = 0; c < 3; c++) {
                paper[c] = (byte) ~paper[c];
            }
        }
        int black = in[i + 3] & 0xff;
        for (int c = 0; c < 3; c++) {
            out[o + c] = clamp(black - Bytes.divideBy255((255 - (paper[c] & 0xff)) * black));
        }
    }

    private static byte clamp(int x) {
        return (byte) Math.min(Math.max(x, 0), 255);
    }

    static byte[] encode(ImageFile file, int quality) {
        Image image = file.image();
        if (image.hasAlpha()) {
            throw new IllegalArgumentException("JPEG cannot hold transparency: use PNG or WebP, or lay the image over a colour first");
        }
        if (image.width() > 65535 || image.height() > 65535) {
            throw new IllegalArgumentException("JPEG holds at most 65535 pixels a side, not " + image + ": use PNG");
        }
        byte[] jpeg = encode(image, quality);
        String parameters = file.text().getOrDefault(ImageFile.PARAMETERS, "");
        return parameters.isEmpty() ? jpeg : withExif(jpeg, Exif.withUserComment(parameters));
    }

    private static byte[] encode(Image image, int quality) {
        var buffered = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        buffered.setRGB(0, 0, image.width(), image.height(), Argb.of(image), 0, image.width());
        ImageWriter writer = ofTheJdk(ImageIO.getImageWritersByFormatName("jpeg"), ImageWriter::getOriginatingProvider);
        var bytes = new ByteArrayOutputStream();
        try (var out = new MemoryCacheImageOutputStream(bytes)) {
            var param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(quality / 100f);
            writer.setOutput(out);
            writer.write(null, new IIOImage(buffered, null, null), param);
        } catch (IOException e) {
            throw new AssertionError("memory does not fail to be written", e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    /** Puts an EXIF segment behind the JFIF segment, which every reader expects first. */
    private static byte[] withExif(byte[] jpeg, byte[] exif) {
        if (exif.length > 65533) {
            throw new IllegalArgumentException("the text '" + ImageFile.PARAMETERS + "' is too long for JPEG, which holds about 32700"
                + " characters: use PNG");
        }
        int at = (jpeg[3] & 0xff) == JFIF ? 4 + Bytes.u16(jpeg, 4) : 2;
        var out = new ByteArrayOutputStream();
        out.write(jpeg, 0, at);
        out.write(0xff);
        out.write(APP1);
        out.write(exif.length + 2 >> 8);
        out.write(exif.length + 2);
        out.writeBytes(exif);
        out.write(jpeg, at, jpeg.length - at);
        return out.toByteArray();
    }
}
