package io.sfumato.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.hub.KnownExtras;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.ImageFile;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.TorchPickle;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what is in a checkpoint, a model folder or a picture. Everything is read into JSON, of which the text is one view. */
@Command(name = "inspect", mixinStandardHelpOptions = true,
        description = "Tells what is in a checkpoint (.safetensors, .ckpt, .pt, .bin), a model folder or a picture.",
        footer = {"", "Example:", "  sfumato inspect sfumato-7.png"})
final class Inspect implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> PICTURES = List.of("\u0089PNG", "\u00ff\u00d8\u00ff", "RIFF");
    private static final List<String> WEIGHTS_IN = List.of("text_encoder", "unet", "vae", "safety_checker");
    private static final int SHOWN = 200;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE|FOLDER")
    private Path path;

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        ObjectNode found = found();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(found);
        } else {
            print(out, found, "");
        }
        out.flush();
        return 0;
    }

    private ObjectNode found() throws IOException {
        if (Files.isDirectory(path)) {
            return folder(new ModelFolder(path));
        }
        if (!Files.exists(path)) {
            throw new CheckpointException(path + ": there is no such file");
        }
        if (PICTURES.stream().anyMatch(first(path)::startsWith)) {
            return picture(ImageFile.read(path));
        }
        try (TensorSource file = TensorSource.open(path)) {
            ObjectNode found = checkpoint(file, file instanceof SafeTensors s ? s.metadata() : Map.of());
            if (file instanceof TorchPickle pickle) {
                found.set("other values", JSON.valueToTree(plainValues(pickle.tree())));
            }
            recognised(path).forEach(found.putArray("recognised")::add);
            return found;
        }
    }

    /** Numbers and short texts beside the tensors, such as the steps of the training. */
    private static Map<String, Object> plainValues(Object tree) {
        Map<String, Object> values = new TreeMap<>();
        if (tree instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                if (value instanceof Number || value instanceof Boolean || value instanceof String text && text.length() <= SHOWN) {
                    values.put(key.toString(), value);
                }
            });
        }
        return values;
    }

    /** What a single file would be loaded as. */
    private static List<String> recognised(Path file) {
        try {
            return new ModelFolder(file).notes();
        } catch (CheckpointException e) {
            return List.of();
        }
    }

    private static String first(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
        }
    }

    private static ObjectNode picture(ImageFile file) {
        ObjectNode found = JSON.createObjectNode().put("kind", "picture").put("size", file.image().toString());
        GenerationParameters.of(file).ifPresent(parameters -> {
            found.put("prompt", parameters.prompt());
            found.put("negative prompt", parameters.negativePrompt());
            found.set("settings", JSON.valueToTree(parameters.settings()));
        });
        Map<String, String> rest = new TreeMap<>(file.text());
        rest.remove(ImageFile.PARAMETERS);
        if (!rest.isEmpty()) {
            found.set("texts", JSON.valueToTree(rest));
        }
        return found;
    }

    private static ObjectNode checkpoint(TensorSource source, Map<String, String> metadata) {
        ObjectNode found = JSON.createObjectNode().put("kind", "checkpoint");
        found.set("metadata", JSON.valueToTree(metadata));
        ObjectNode tensors = found.putObject("tensors");
        Map<String, Long> groups = new TreeMap<>();
        Map<String, Integer> extras = new TreeMap<>();
        for (String name : new TreeSet<>(source.names())) {
            ObjectNode tensor = tensors.putObject(name);
            try {
                long numbers = numbers(source, name);
                tensor.put("dtype", source.dtype(name).code()).set("shape", JSON.valueToTree(source.shape(name)));
                tensor.put("bytes", numbers * source.dtype(name).bytes());
                groups.merge(prefix(name), numbers, Long::sum);
            } catch (CheckpointException e) {
                tensor.put("unreadable", e.getMessage());
            }
            KnownExtras.of(name).ifPresent(kind -> extras.merge(kind, 1, Integer::sum));
        }
        found.set("parameters of each part", JSON.valueToTree(groups));
        found.set("extras", JSON.valueToTree(extras));
        return found.put("tensor count", tensors.size()).put("parameters", groups.values().stream().mapToLong(n -> n).sum());
    }

    private static ObjectNode folder(ModelFolder folder) throws IOException {
        ObjectNode found = JSON.createObjectNode().put("kind", "model folder").put("pipeline", folder.pipeline());
        if (!Files.exists(folder.path().resolve("model_index.json"))) {
            return research(folder, found);
        }
        JsonNode index = JsonFile.read(folder.path().resolve("model_index.json"));
        ObjectNode components = found.putObject("components");
        long sum = 0;
        for (var entry : index.properties()) {
            Path part = folder.path().resolve(entry.getKey());
            if (entry.getKey().startsWith("_") || !Files.isDirectory(part)) {
                continue;
            }
            ObjectNode component = components.putObject(entry.getKey());
            component.put("class", entry.getValue().path(1).asText());
            try (Stream<Path> files = Files.list(part)) {
                for (Path config : files.filter(f -> f.getFileName().toString().matches("(scheduler_)?config\\.json")).toList()) {
                    component.set("config", JsonFile.read(config));
                }
            }
            if (WEIGHTS_IN.contains(entry.getKey())) {
                sum += weights(folder, entry.getKey(), component);
            }
        }
        return found.put("parameters", sum);
    }

    /** A folder as research code published it: its files of weights are all that there is to tell. */
    private static ObjectNode research(ModelFolder folder, ObjectNode found) throws IOException {
        ObjectNode files = found.putObject("files");
        long sum = 0;
        try (Stream<Path> all = Files.walk(folder.path(), 2)) {
            for (Path file : all.filter(f -> f.toString().matches(".*\\.(pt|pkl|ckpt|bin|safetensors)")).sorted().toList()) {
                try (TensorSource source = TensorSource.open(file)) {
                    long count = parameters(source);
                    files.put(folder.path().relativize(file).toString(), count);
                    sum += count;
                }
            }
        }
        return found.put("parameters", sum);
    }

    /** Adds a component's count of parameters; extras are files or tensors that generating leaves alone. */
    private static long weights(ModelFolder folder, String name, ObjectNode component) {
        if (name.equals("safety_checker")) {
            component.put("extra", "left alone when generating");
            return 0;
        }
        try (TensorSource source = folder.weights(name)) {
            List<String> extras = source.names().stream().filter(n -> KnownExtras.of(n).isPresent()).sorted().toList();
            if (!extras.isEmpty()) {
                component.put("extra", String.join(", ", extras));
            }
            long count = parameters(source);
            component.put("parameters", count);
            return count;
        }
    }

    private static long parameters(TensorSource source) {
        return source.names().stream().filter(n -> KnownExtras.of(n).isEmpty()).mapToLong(n -> numbers(source, n)).sum();
    }

    private static long numbers(TensorSource source, String name) {
        return LongStream.of(source.shape(name)).reduce(1, (a, b) -> a * b);
    }

    /** The first two steps of a tensor's name. */
    private static String prefix(String name) {
        String[] steps = name.split("\\.");
        return String.join(".", Arrays.copyOf(steps, Math.max(1, Math.min(2, steps.length - 1))));
    }

    /** A line for each value, nested ones indented; tensors in one line each. */
    private static void print(PrintWriter out, ObjectNode node, String indent) throws JsonProcessingException {
        for (var entry : node.properties()) {
            JsonNode value = entry.getValue();
            if (value.has("bytes")) {
                out.println(indent + entry.getKey() + "  " + value.path("dtype").asText() + " " + value.path("shape")
                        + " " + value.path("bytes") + " bytes");
            } else if (value instanceof ObjectNode nested) {
                out.println(indent + entry.getKey() + (nested.isEmpty() ? ": none" : ":"));
                print(out, nested, indent + "  ");
            } else {
                String text = value.isTextual() ? value.textValue() : JSON.writeValueAsString(value);
                out.println(indent + entry.getKey() + ": " + (text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text));
            }
        }
    }
}
