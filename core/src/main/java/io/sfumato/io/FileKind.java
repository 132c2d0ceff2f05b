package io.sfumato.io;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a file that is no checkpoint seems to be, by its first bytes: for messages. */
final class FileKind {
    private static final Map<String, String> KINDS = new LinkedHashMap<>();

    static {
        KINDS.put("\u0089PNG", "a PNG picture");
        KINDS.put("\u00ff\u00d8\u00ff", "a JPEG picture");
        KINDS.put("RIFF", "a WebP picture or another RIFF file");
        KINDS.put("PK\u0003\u0004", "a zip archive, as PyTorch writes for .ckpt, .pt and .bin");
        KINDS.put("\u0080\u0002", "a pickle, as old PyTorch wrote for .ckpt, .pt and .bin");
        KINDS.put("\u001f\u008b", "a gzip archive");
        KINDS.put("GGUF", "a GGUF file");
        KINDS.put("version https://git-lfs", "a Git LFS pointer: the file itself was not downloaded");
        KINDS.put("<", "a web page: the download brought an answer other than the file");
        KINDS.put("{", "JSON text");
    }

    private FileKind() {
    }

    /** The clause ", it seems to be ...", or none where the bytes say nothing. */
    static String clause(byte[] first) {
        String start = new String(first, StandardCharsets.ISO_8859_1).replaceFirst("^[ \\t\\r\\n]+", "");
        return KINDS.entrySet().stream().filter(kind -> start.startsWith(kind.getKey())).findFirst()
                .map(kind -> ", it seems to be " + kind.getValue()).orElse("");
    }
}
