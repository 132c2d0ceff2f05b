package io.sfumato.hub;

import io.sfumato.io.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Models inside jars: a list of names, and for each a folder with {@code SHA256SUMS}. Weights are mapped from files, so a model is
 * copied once into the user's cache, under the digest of its list; files there are trusted by their length.
 */
public final class BuiltinModels {
    private static final String ROOT = "/io/sfumato/bundled/models/";

    private BuiltinModels() {
    }

    /** Names of the models on the class path; none without module {@code bundled}. */
    public static List<String> names() {
        try (InputStream in = BuiltinModels.class.getResourceAsStream(ROOT + "index.txt")) {
            return in == null ? List.of() : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new CheckpointException("the list of builtin models cannot be read: " + e.getMessage(), e);
        }
    }

    /** Bytes of a builtin model's files. */
    public static long bytes(String name) {
        try {
            long sum = 0;
            for (String line : new String(resource(name + "/SHA256SUMS").readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                try (InputStream in = resource(name + "/" + line.substring(66))) {
                    sum += in.transferTo(OutputStream.nullOutputStream());
                }
            }
            return sum;
        } catch (IOException e) {
            throw new CheckpointException("builtin:" + name + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** The folder of a builtin model in the cache, copied there if it is not yet. */
    static ModelFolder unpack(String name) {
        List<String> names = names();
        if (names.isEmpty()) {
            throw new CheckpointException("No default model on the class path: add io.sfumato:bundled");
        }
        if (!names.contains(name)) {
            throw new CheckpointException("there is no builtin model '" + name + "'; there are " + String.join(", ", names));
        }
        try {
            byte[] sums = resource(name + "/SHA256SUMS").readAllBytes();
            Path folder = cache().resolve("builtin").resolve(name + "-" + hex(sha256().digest(sums)).substring(0, 12));
            for (String line : new String(sums, StandardCharsets.UTF_8).lines().toList()) {
                copy(name, line.substring(66), line.substring(0, 64), folder);
            }
            return new ModelFolder(folder);
        } catch (IOException e) {
            throw new CheckpointException("builtin:" + name + " cannot be copied to " + cache() + ": " + e.getMessage(), e);
        }
    }

    private static void copy(String name, String file, String sum, Path folder) throws IOException {
        Path target = folder.resolve(file);
        try (InputStream in = resource(name + "/" + file)) {
            if (Files.exists(target) && Files.size(target) == in.available()) {
                return;
            }
        }
        copy(resource(name + "/" + file), "builtin:" + name + "/" + file, sum, target);
    }

    /**
     * A single file of the class path as a file in the cache, copied there if it is not yet, under its digest.
     *
     * @param sha256 what the file's SHA-256 is
     * @throws CheckpointException that ends in {@code remedy} where it is not on the class path
     */
    public static Path file(String resource, String sha256, String remedy) {
        Path target = cache().resolve("builtin").resolve(sha256.substring(0, 12) + "-" + resource.substring(resource.lastIndexOf('/') + 1));
        try (InputStream in = BuiltinModels.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new CheckpointException(resource.substring(1) + " is not on the class path: " + remedy);
            }
            // It is moved there whole and checked, so it is complete once it exists.
            if (!Files.exists(target)) {
                copy(in, resource.substring(1), sha256, target);
            }
            return target;
        } catch (IOException e) {
            throw new CheckpointException(resource.substring(1) + " cannot be copied to " + target + ": " + e.getMessage(), e);
        }
    }

    private static void copy(InputStream from, String what, String sum, Path target) throws IOException {
        Files.createDirectories(target.getParent());
        Path part = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try (DigestInputStream in = new DigestInputStream(from, sha256())) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            if (!hex(in.getMessageDigest().digest()).equals(sum)) {
                throw new CheckpointException(what + ": its SHA-256 is not the one that it was published with");
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static InputStream resource(String path) {
        InputStream in = BuiltinModels.class.getResourceAsStream(ROOT + path);
        if (in == null) {
            throw new CheckpointException("builtin model: " + path + " is not on the class path");
        }
        return in;
    }

    /** {@code SFUMATO_CACHE}, else {@code XDG_CACHE_HOME/sfumato}, else {@code ~/.cache/sfumato}. */
    public static Path cache() {
        String own = System.getenv("SFUMATO_CACHE"), xdg = System.getenv("XDG_CACHE_HOME");
        return own != null ? Path.of(own)
                : (xdg != null ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache")).resolve("sfumato");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
