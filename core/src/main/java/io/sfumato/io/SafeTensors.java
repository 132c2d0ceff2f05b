package io.sfumato.io;

import io.sfumato.io.SafeTensorsHeader.Entry;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A {@code .safetensors} file: eight bytes of header length, a JSON header, then the tensors' bytes without gaps. The header is
 * checked whole before any tensor is read, and the bytes are mapped, not copied. Nothing in such a file can run code.
 */
public final class SafeTensors implements TensorSource {
    private static final long MAX_HEADER = 100_000_000;
    private static final long PIECE = 1 << 22;

    private final Path file;
    private final SafeTensorsHeader header;
    private final long dataStart;
    private final Tensor bytes;

    private SafeTensors(Path file, SafeTensorsHeader header, long dataStart, Tensor bytes) {
        this.file = file;
        this.header = header;
        this.dataStart = dataStart;
        this.bytes = bytes;
    }

    /**
     * Opens and checks a file.
     *
     * @throws CheckpointException naming the file and the tensor, when it is not a sound safetensors file
     */
    public static SafeTensors open(Path file) {
        if (Files.isDirectory(file)) {
            throw bad(file, "a folder, where a safetensors file is wanted");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long length = channel.size();
            byte[] first = read(channel, 0, (int) Math.min(length, 64)).array();
            if (length < 8) {
                throw bad(file, "no safetensors file" + FileKind.clause(first) + ": it has " + length
                        + " bytes, fewer than the 8 of a header length");
            }
            long headerLength = ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (headerLength < 2 || headerLength > MAX_HEADER || first.length > 8 && first[8] != '{') {
                throw bad(file, "no safetensors file" + FileKind.clause(first) + ": its header, of " + Long.toUnsignedString(headerLength)
                        + " bytes, does not begin with '{' or is too long");
            }
            if (8 + headerLength > length) {
                throw bad(file, "cut short: the header needs " + headerLength + " bytes, the file has "
                        + (length - 8) + " after its length");
            }
            byte[] header = read(channel, 8, (int) headerLength).array();
            return new SafeTensors(file, parse(file, header, length - 8 - headerLength), 8 + headerLength, map(file, channel, length));
        } catch (NoSuchFileException e) {
            throw bad(file, "there is no such file");
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + reason(e), e);
        }
    }

    private static ByteBuffer read(FileChannel channel, long at, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining() && channel.read(buffer, at + buffer.position()) >= 0) {
            continue;
        }
        return buffer.flip();
    }

    private static SafeTensorsHeader parse(Path file, byte[] header, long dataLength) {
        try {
            return SafeTensorsHeader.parse(header, dataLength);
        } catch (CheckpointException e) {
            throw bad(file, e.getMessage());
        }
    }

    static Tensor map(Path file, FileChannel channel, long length) throws IOException {
        Tensor bytes;
        try (var scope = new Scope()) {
            bytes = Tensor.mapped(file.toString(), length).retain();
        } catch (RuntimeException e) {
            throw new CheckpointException(file + ": cannot be mapped: " + Engine.firstLine(e), e);
        }
        // Reading past the end of a mapped file kills the process, so one that shrank since it was measured must not be used.
        if (channel.size() != length) {
            bytes.close();
            throw bad(file, "it changed from " + length + " to " + channel.size() + " bytes while it was opened");
        }
        return bytes;
    }

    private static CheckpointException bad(Path file, String what) {
        return new CheckpointException(file + ": " + what);
    }

    @Override
    public String description() {
        return file.toString();
    }

    @Override
    public Set<String> names() {
        return header.entries().keySet();
    }

    /** The header's {@code __metadata__}, in file order. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    @Override
    public long[] shape(String name) {
        return find(name).shape().clone();
    }

    @Override
    public DType dtype(String name) {
        return find(name).dtype();
    }

    /** The tensor as stored: shared with the mapped file where it is aligned there, else a copy. Not to be written to. */
    @Override
    public Tensor get(String name) {
        return view(bytes, find(name));
    }

    private Tensor view(Tensor bytes, Entry e) {
        long begin = dataStart + e.begin();
        long length = e.end() - e.begin();
        try (var scope = new Scope()) {
            if (length == 0) {
                return scope.keep(Tensor.zeros(e.dtype(), e.shape()));
            }
            Tensor slice = bytes.narrow(0, begin, length);
            boolean aligned = begin % e.dtype().bytes() == 0;
            return scope.keep((aligned ? slice : slice.clone()).viewAs(e.dtype()).view(e.shape()));
        }
    }

    /** The same in a mapping of its own, whose pages leave memory with the tensor. */
    @Override
    public Tensor mapped(String name) {
        try (var scope = new Scope()) {
            return scope.keep(view(Tensor.mapped(file.toString(), bytes.numel()), find(name)));
        } catch (RuntimeException e) {
            throw e instanceof CheckpointException ? e : new CheckpointException(file + ": cannot be mapped: " + Engine.firstLine(e), e);
        }
    }

    private Entry find(String name) {
        Entry e = header.entries().get(name);
        if (e == null) {
            throw bad(file, "there is no tensor '" + name + "'");
        }
        return e;
    }

    @Override
    public void close() {
        bytes.close();
    }

    /**
     * Writes tensors with {@code metadata} (may be empty) to {@code file}: beside it first, then moved, so that no half file is ever
     * seen under its name. Larger element types come first, which keeps every tensor aligned.
     *
     * @throws UncheckedIOException when the file cannot be written; nothing is left behind
     */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
        Map<String, Tensor> sorted = new LinkedHashMap<>();
        tensors.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Tensor>>comparingInt(e -> -e.getValue().dtype().bytes())
                        .thenComparing(Map.Entry::getKey))
                .forEach(e -> sorted.put(e.getKey(), e.getValue()));
        byte[] header = SafeTensorsHeader.of(sorted, metadata);
        Path absolute = file.toAbsolutePath();
        Path part = absolute.resolveSibling(absolute.getFileName() + ".part");
        try {
            try (FileChannel out = FileChannel.open(part,
                    StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                writeAll(out, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).flip());
                writeAll(out, ByteBuffer.wrap(header));
                for (Tensor x : sorted.values()) {
                    write(out, x);
                }
                out.force(true);
            }
            Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + reason(e), e);
        } finally {
            discard(part);
        }
    }

    // Piece by piece: a tensor may be larger than a Java array can be.
    private static void write(FileChannel out, Tensor x) throws IOException {
        try (var scope = new Scope()) {
            Tensor flat = x.detach().contiguous().view(x.numel());
            for (long at = 0; at < x.numel(); at += PIECE) {
                try (var piece = new Scope()) {
                    writeAll(out, ByteBuffer.wrap(flat.narrow(0, at, Math.min(PIECE, x.numel() - at)).toBytes()));
                }
            }
        }
    }

    private static void writeAll(FileChannel out, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            out.write(buffer);
        }
    }

    // Java's own messages of these repeat the path and leave out the reason.
    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such folder";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        return e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
    }

    private static void discard(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException ignored) {
            // The first failure is the one to report.
        }
    }
}
