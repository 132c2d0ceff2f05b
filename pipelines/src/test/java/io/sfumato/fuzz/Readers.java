package io.sfumato.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.ImageFile;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.TorchPickle;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.text.ClipTokenizer;
import io.sfumato.text.SentencePiece;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** Every reader of files from elsewhere. */
final class Readers {
    private static final Path CORE = Path.of("../core/src/test/resources");
    private static final Path MODEL = Path.of("src/test/resources/golden/sd1/model");

    /** What is in the zip archives, by their names. */
    private static final Map<String, Map<String, byte[]>> RECORDS = new HashMap<>();

    private Readers() {
    }

    static List<Reader> all() throws IOException {
        Path torch = CORE.resolve("golden/torch");
        return List.of(
                new Reader("safetensors",
                        List.of(CORE.resolve("golden/safetensors/dtypes.safetensors"), torch.resolve("expected.safetensors")),
                        Readers::safetensors, (file, name) -> readAll(SafeTensors.open(file))),
                new Reader("zip pickle", files(torch, ".*(?<!stream)\\.(pt|pkl|ckpt)"), Readers::zip,
                        (file, name) -> readAll(TorchPickle.open(file))),
                new Reader("stream and tar pickle", files(torch, ".*(stream\\.(pt|pkl)|tar)"), Readers::stream,
                        (file, name) -> readAll(TorchPickle.open(file))),
                new Reader("PNG texts", files(CORE.resolve("image"), "(text|orientation6)\\.png"), Readers::pngChunks, Readers::picture),
                new Reader("PNG", files(CORE.resolve("image"), ".*\\.png"), Readers::png, Readers::picture),
                new Reader("JPEG", files(CORE.resolve("image"), ".*\\.jpg"), (m, whole, name) -> m.bytes(whole), Readers::picture),
                new Reader("WebP", files(CORE.resolve("image"), ".*\\.webp"), (m, whole, name) -> m.bytes(whole), Readers::picture),
                new Reader("tokenizer", files(CORE.resolve("text/tiny"), ".*"), (m, whole, name) -> m.text(whole), Readers::tokenizer),
                new Reader("sentencepiece model", List.of(CORE.resolve("text/sentencepiece/odd.model")), (m, whole, name) -> m.bytes(whole),
                        Readers::sentencePiece),
                new Reader("config.json", List.of(MODEL.resolve("unet/config.json"), MODEL.resolve("vae/config.json"),
                        MODEL.resolve("text_encoder/config.json"), MODEL.resolve("scheduler/scheduler_config.json"),
                        MODEL.resolve("model_index.json")), (m, whole, name) -> m.text(whole), Readers::config));
    }

    private static List<Path> files(Path folder, String pattern) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> Files.isRegularFile(file) && file.getFileName().toString().matches(pattern)).sorted().toList();
        }
    }

    // ---- what spoils ----

    /** The bytes, those of the tensors alone, or the header with its length set right. */
    private static byte[] safetensors(Mutation mutation, byte[] whole, String name) {
        int header = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int kind = mutation.random().nextInt(4);
        if (kind == 0) {
            return mutation.bytes(whole);
        }
        if (kind == 1) {
            byte[] tensors = Arrays.copyOfRange(whole, 8 + header, whole.length);
            mutation.random().nextBytes(tensors);
            return Mutation.spliced(whole, 8 + header, whole.length, tensors);
        }
        byte[] other = mutation.text(Arrays.copyOfRange(whole, 8, 8 + header));
        byte[] all = Mutation.spliced(whole, 8, 8 + header, other);
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(other.length);
        return all;
    }

    /** The archive's bytes, or its pickle by opcodes. */
    private static byte[] zip(Mutation mutation, byte[] whole, String name) throws IOException {
        if (mutation.random().nextInt(4) == 0) {
            return mutation.bytes(whole);
        }
        Map<String, byte[]> records = RECORDS.containsKey(name) ? RECORDS.get(name) : records(whole);
        RECORDS.put(name, records);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (var record : records.entrySet()) {
                byte[] data = record.getKey().endsWith("data.pkl")
                        ? new PickleMutation(mutation).apply(record.getValue()) : record.getValue();
                CRC32 sum = new CRC32();
                sum.update(data);
                ZipEntry entry = new ZipEntry(record.getKey());
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(data.length);
                entry.setCrc(sum.getValue());
                zip.putNextEntry(entry);
                zip.write(data);
            }
        }
        return out.toByteArray();
    }

    private static Map<String, byte[]> records(byte[] whole) throws IOException {
        Path file = Files.createTempFile("seed", ".zip");
        try {
            Files.write(file, whole);
            Map<String, byte[]> records = new LinkedHashMap<>();
            try (ZipFile zip = new ZipFile(file.toFile())) {
                for (ZipEntry entry : zip.stream().toList()) {
                    records.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
                }
            }
            return records;
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] stream(Mutation mutation, byte[] whole, String name) {
        return mutation.random().nextInt(3) == 0 ? mutation.bytes(whole) : new PickleMutation(mutation).apply(whole);
    }

    private static byte[] png(Mutation mutation, byte[] whole, String name) {
        byte[] data = mutation.bytes(whole);
        return mutation.random().nextInt(4) == 0 ? data : withSums(data);
    }

    /** Spoils what is within one chunk other than the pixels. */
    private static byte[] pngChunks(Mutation mutation, byte[] whole, String name) {
        ByteBuffer in = ByteBuffer.wrap(whole);
        List<Integer> chunks = IntStream.iterate(8, at -> at + 12 <= whole.length, at -> at + 12 + in.getInt(at))
                .filter(at -> in.getInt(at + 4) != 0x49444154 && in.getInt(at) > 0).boxed().toList();
        int at = mutation.one(chunks);
        byte[] inside = Arrays.copyOfRange(whole, at + 8, at + 8 + in.getInt(at));
        byte[] other = mutation.random().nextBoolean() ? mutation.bytes(inside) : mutation.text(inside);
        byte[] all = Mutation.spliced(whole, at + 8, at + 8 + inside.length, other);
        ByteBuffer.wrap(all).putInt(at, other.length);
        return withSums(all);
    }

    private static byte[] withSums(byte[] png) {
        ByteBuffer out = ByteBuffer.wrap(png);
        for (int at = 8; at <= png.length - 12;) {
            int length = out.getInt(at);
            if (length < 0 || length > png.length - at - 12) {
                break;
            }
            CRC32 sum = new CRC32();
            sum.update(png, at + 4, length + 4);
            out.putInt(at + 8 + length, (int) sum.getValue());
            at += 12 + length;
        }
        return png;
    }

    // ---- what reads ----

    private static void readAll(TensorSource opened) {
        try (TensorSource source = opened) {
            for (String name : source.names()) {
                try (var scope = new Scope()) {
                    long bytes = source.get(name).toBytes().length;
                    long numbers = Arrays.stream(source.shape(name)).reduce(1, (a, b) -> a * b);
                    if (bytes != numbers * source.dtype(name).bytes()) {
                        throw new IllegalStateException(name + " has " + bytes + " bytes");
                    }
                } catch (CheckpointException e) {
                    if (opened instanceof SafeTensors) {
                        throw new IllegalStateException(e);                            // what is accepted can be read
                    }
                }
            }
        }
    }

    private static void picture(Path file, String name) {
        ImageFile picture = ImageFile.read(file);
        if (picture.image().toBytes().length != picture.image().width() * picture.image().height() * picture.image().channels()) {
            throw new IllegalStateException(picture.image() + " has other pixels");
        }
        GenerationParameters.of(picture);
    }

    /** The other files of the folder are sound. */
    private static void tokenizer(Path file, String name) throws IOException {
        Path folder = Files.createTempDirectory(file.getParent(), "tokenizer");
        try {
            for (Path other : files(CORE.resolve("text/tiny"), ".*")) {
                Files.copy(other.getFileName().toString().equals(name) ? file : other, folder.resolve(other.getFileName()));
            }
            ClipTokenizer tokenizer = ClipTokenizer.load(folder);
            tokenizer.encode("a photo of a Cat, <|endoftext|> \ud83d\ude00 naïve \ud800");
            tokenizer.decode(IntStream.range(0, tokenizer.vocabSize()).toArray());
        } finally {
            for (Path copy : files(folder, ".*")) {
                Files.delete(copy);
            }
            Files.delete(folder);
        }
    }

    private static void sentencePiece(Path file, String name) {
        SentencePiece pieces = SentencePiece.load(file);
        pieces.decode(pieces.ids("a photo of a Cat, \ud83d\ude00 naïve \ud800"));
    }

    /** A config is read, and its network built on the sound weights. */
    private static void config(Path file, String name) throws IOException {
        JsonNode json = JsonFile.read(file);
        ConfigJson config = new ConfigJson(file.toString(), json);
        String of = json.path("_class_name").asText(json.path("model_type").asText());
        if (name.equals("scheduler_config.json")) {
            SchedulerConfig.of(json);
        } else if (name.equals("model_index.json")) {
            Path folder = Files.createTempDirectory(file.getParent(), "model");
            try {
                Files.copy(file, folder.resolve(name));
                new ModelFolder(folder).pipeline();
            } finally {
                Files.delete(folder.resolve(name));
                Files.delete(folder);
            }
        } else if (of.startsWith("UNet")) {
            build("unet", w -> new UNet2DCondition(w, UNetConfig.of(config)));
        } else if (of.startsWith("Autoencoder")) {
            build("vae", w -> new AutoencoderKl(w, AutoencoderKl.Config.of(config)));
        } else {
            build("text_encoder", w -> new ClipText(w, ClipText.Config.of(config)));
        }
    }

    private static void build(String component, Function<Weights, Object> network) {
        try (TensorSource source = new ModelFolder(MODEL).weights(component);
                Weights weights = Weights.load(source, DType.F32, Device.CPU)) {
            weights.build(network, name -> false);
        }
    }
}
