package io.sfumato.image;

import com.luciad.imageio.webp.CompressionType;
import com.luciad.imageio.webp.WebPImageReaderSpi;
import com.luciad.imageio.webp.WebPImageWriterSpi;
import com.luciad.imageio.webp.WebPWriteParam;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** WebP files: pixels by libwebp, the RIFF container with its EXIF chunk here (WebP Container Specification, RFC 9649). */
final class WebP {
    private static final int MAX_SIDE = 16383;
    private static final int HEADER = 12;                                  // RIFF, size, WEBP
    private static final int EXIF_FLAG = 0x08;
    private static final int ALPHA_FLAG = 0x10;
    private static final int ANIMATION_FLAG = 0x02;

    private WebP() {
    }

    static boolean matches(byte[] data) {
        return data.length >= HEADER && Bytes.latin1(data, 0, 4).equals("RIFF") && Bytes.latin1(data, 8, HEADER).equals("WEBP");
    }

    static ImageFile decode(Source source) {
        byte[] data = source.data();
        if ((Bytes.i32LittleEndian(data, 4) & 0xffffffffL) > data.length - 8) {
            throw source.endsEarly();
        }
        int extended = find(data, "VP8X");
        if (extended >= 0 && (data[extended + 8] & ANIMATION_FLAG) != 0) {
            throw source.bad("an animated WebP: only still pictures can be read");
        }
        int block = find(data, "EXIF");
        var exif = block < 0 ? Exif.NONE
            : Exif.parse(Arrays.copyOfRange(data, block + 8, block + 8 + Bytes.i32LittleEndian(data, block + 4)));
        return new ImageFile(exif.upright(pixels(source)), ImageFile.parameters(exif.userComment()));
    }

    private static Image pixels(Source source) {
        var reader = new WebPImageReaderSpi().createReaderInstance(null);
        try (var in = new MemoryCacheImageInputStream(new ByteArrayInputStream(source.data()))) {
            reader.setInput(in, false, true);
            source.checkSize(reader.getWidth(0), reader.getHeight(0));
            BufferedImage decoded = reader.read(0);
            int[] argb = ((DataBufferInt) decoded.getRaster().getDataBuffer()).getData();
            return Argb.image(decoded.getWidth(), decoded.getHeight(), decoded.getColorModel().hasAlpha() ? 4 : 3, argb);
        } catch (IOException e) {
            throw source.bad("damaged: " + e.getMessage());
        } catch (OutOfMemoryError e) {                                     // how the binding reports one of libwebp's status codes
            throw source.bad("damaged, or too large for libwebp's memory");
        } catch (LinkageError e) {
            throw unavailable(source.name(), e);
        } finally {
            reader.dispose();
        }
    }

    static byte[] encode(ImageFile file, ImageFormat format) {
        Image image = file.image();
        if (image.width() > MAX_SIDE || image.height() > MAX_SIDE) {
            throw new IllegalArgumentException("WebP holds at most " + MAX_SIDE + " pixels a side, not " + image + ": use PNG");
        }
        byte[] webp = encode(image, format);
        String parameters = file.text().getOrDefault(ImageFile.PARAMETERS, "");
        return parameters.isEmpty() ? webp : withExif(webp, image, Exif.withUserComment(parameters));
    }

    private static byte[] encode(Image image, ImageFormat format) {
        int type = image.hasAlpha() ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB;
        var buffered = new BufferedImage(image.width(), image.height(), type);
        buffered.setRGB(0, 0, image.width(), image.height(), Argb.of(image), 0, image.width());
        var bytes = new ByteArrayOutputStream();
        try (var out = new MemoryCacheImageOutputStream(bytes)) {
            var writer = new WebPImageWriterSpi().createWriterInstance(null);
            var param = (WebPWriteParam) writer.getDefaultWriteParam();
            if (format instanceof ImageFormat.WebP lossy) {
                param.setCompressionType(CompressionType.Lossy);
                param.setCompressionQuality(lossy.quality() / 100f);
            } else {
                param.setCompressionType(CompressionType.Lossless);
                param.setExact(true);
            }
            writer.setOutput(out);
            writer.write(null, new IIOImage(buffered, null, null), param);
        } catch (IOException e) {
            throw new IllegalStateException("libwebp did not encode " + image + ": " + e.getMessage(), e);
        } catch (LinkageError e) {
            throw unavailable("WebP", e);
        }
        return bytes.toByteArray();
    }

    private static IllegalStateException unavailable(String name, LinkageError cause) {
        return new IllegalStateException(name + ": libwebp does not load on " + System.getProperty("os.name") + " "
            + System.getProperty("os.arch") + ": use PNG or JPEG", cause);
    }

    /** The extended container: VP8X with flags and size, the chunks as they were, EXIF last. */
    private static byte[] withExif(byte[] webp, Image image, byte[] exif) {
        var chunks = new ByteArrayOutputStream();
        byte[] extended = new byte[10];
        extended[0] = (byte) (EXIF_FLAG | (image.hasAlpha() ? ALPHA_FLAG : 0));
        writeI24(extended, 4, image.width() - 1);
        writeI24(extended, 7, image.height() - 1);
        writeChunk(chunks, "VP8X", extended);
        int old = find(webp, "VP8X");
        int rest = old < 0 ? HEADER : old + 18;                            // lossy with alpha is extended already
        chunks.write(webp, rest, webp.length - rest);
        writeChunk(chunks, "EXIF", exif);
        var out = new ByteArrayOutputStream();
        out.writeBytes("RIFF".getBytes(StandardCharsets.ISO_8859_1));
        Bytes.writeI32(out, Integer.reverseBytes(4 + chunks.size()));
        out.writeBytes("WEBP".getBytes(StandardCharsets.ISO_8859_1));
        out.writeBytes(chunks.toByteArray());
        return out.toByteArray();
    }

    private static void writeChunk(ByteArrayOutputStream out, String tag, byte[] body) {
        out.writeBytes(tag.getBytes(StandardCharsets.ISO_8859_1));
        Bytes.writeI32(out, Integer.reverseBytes(body.length));
        out.writeBytes(body);
        if (body.length % 2 == 1) {
            out.write(0);
        }
    }

    private static void writeI24(byte[] out, int at, int value) {
        out[at] = (byte) value;
        out[at + 1] = (byte) (value >> 8);
        out[at + 2] = (byte) (value >> 16);
    }

    /** Where the first chunk of this tag begins (tag, size, body), or -1; a chunk that does not fit ends the search. */
    private static int find(byte[] data, String tag) {
        for (long at = HEADER; at + 8 <= data.length;) {
            long size = Bytes.i32LittleEndian(data, (int) at + 4) & 0xffffffffL;
            if (at + 8 + size > data.length) {
                return -1;
            }
            if (Bytes.latin1(data, (int) at, (int) at + 4).equals(tag)) {
                return (int) at;
            }
            at += 8 + size + size % 2;
        }
        return -1;
    }
}
