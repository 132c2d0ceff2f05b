package io.sfumato.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Writes a file whole or not at all, and says in one line why a file could not be read or written. */
public final class FileWrite {
    private FileWrite() {
    }

    /** What a file is to hold, written a piece at a time. */
    public interface Content {
        void to(OutputStream out) throws IOException;
    }

    /** Puts {@code data} in place of {@code path}, as {@link #whole(Path, Content)} does. */
    public static void whole(Path path, byte[] data) {
        whole(path, out -> out.write(data));
    }

    /**
     * Puts {@code content} in place of {@code path}: beside it first, then moved, so that no half file is ever seen under its name.
     *
     * @throws UncheckedIOException when it cannot be written; nothing is left behind
     */
    public static void whole(Path path, Content content) {
        try {
            Path folder = path.toAbsolutePath().getParent();
            if (folder == null || Files.isDirectory(path)) {
                throw new IOException("it is a folder");
            }
            if (!Files.isDirectory(folder)) {
                throw new IOException("there is no folder " + folder);
            }
            Path partial = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part");
            try {
                try (var out = new BufferedOutputStream(Files.newOutputStream(partial, StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE), 1 << 16)) {
                    content.to(out);
                }
                move(partial, path);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(explain(path, "write", e), e);
        }
    }

    /** The same of text, in UTF-8. */
    public static void whole(Path path, String text) {
        whole(path, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);     // some network file systems
        }
    }

    /** One line: the path, what failed and the system's reason, for instance "No space left on device". */
    public static String explain(Path path, String action, IOException e) {
        String reason;
        if (e instanceof NoSuchFileException) {
            reason = "there is no such file";
        } else if (e instanceof AccessDeniedException) {
            reason = "no permission";
        } else {
            String detail = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
            reason = detail == null ? e.getClass().getSimpleName() : detail.lines().findFirst().orElse("");
        }
        return path + ": cannot " + action + ": " + reason;
    }
}
