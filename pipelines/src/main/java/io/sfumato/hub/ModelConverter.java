package io.sfumato.hub;

import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes models of Stable Diffusion 1 and 2 in the other layout: names and configs as that layout has them, the numbers bit for bit.
 * What drawing leaves alone ({@link KnownExtras}) stays behind.
 */
public final class ModelConverter {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Names in autoencoders that diffusers wrote before 0.12, and now. */
    private static final Map<String, String> OLD_NAMES = Map.of(".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.",
            ".proj_attn.", ".to_out.0.");
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private ModelConverter() {
    }

    /** Writes a model folder in the layout of diffusers: beside it first, then moved. */
    public static void toFolder(ModelFolder model, Path out) {
        if (Files.exists(out)) {
            throw new CheckpointException(out + ": it is there already: a new folder is wanted");
        }
        Path absolute = out.toAbsolutePath();
        Path part = absolute.resolveSibling("." + out.getFileName() + ".part");
        try {
            try {
                discard(part);
                writeFolder(model, part);
                Files.move(part, absolute);
            } finally {
                discard(part);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(out + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static void writeFolder(ModelFolder model, Path folder) throws IOException {
        ObjectNode index = JSON.createObjectNode().put("_class_name", model.pipeline());
        Map<String, List<String>> classes = new TreeMap<>(Map.of("text_encoder", List.of("transformers", "CLIPTextModel"),
                "tokenizer", List.of("transformers", "CLIPTokenizer"), "unet", List.of("diffusers", "UNet2DConditionModel"),
                "vae", List.of("diffusers", "AutoencoderKL"),
                "scheduler", List.of("diffusers", model.scheduler().path("_class_name").asText())));
        classes.forEach((component, names) -> names.forEach(index.withArray(component)::add));
        for (String absent : List.of("safety_checker", "feature_extractor")) {
            index.putArray(absent).addNull().addNull();
        }
        model.copyTokenizer(folder.resolve("tokenizer"));
        write(folder.resolve("scheduler/scheduler_config.json"), model.scheduler());
        if (model.pipeline().equals("StableDiffusionUpscalePipeline")) {
            write(folder.resolve("low_res_scheduler/scheduler_config.json"), model.scheduler("low_res_scheduler"));
            index.putArray("low_res_scheduler").add("diffusers").add("DDPMScheduler");
        }
        write(folder.resolve("model_index.json"), index.put("requires_safety_checker", false));
        for (String component : List.of("text_encoder", "unet", "vae")) {
            write(folder.resolve(component).resolve("config.json"), (ObjectNode) model.config(component).json());
            Path file = folder.resolve(component)
                    .resolve(component.equals("text_encoder") ? "model.safetensors" : "diffusion_pytorch_model.safetensors");
            try (TensorSource source = model.weights(component); Scope scope = new Scope()) {
                Map<String, Tensor> tensors = new TreeMap<>();
                component(source).forEach((name, x) -> tensors.put(name, isVaeAttention(component, name) ? matrix(x) : x));
                SafeTensors.write(file, tensors, METADATA);
            }
        }
    }

    /** The tensors of a component under newer names, without extras. */
    private static Map<String, Tensor> component(TensorSource source) {
        Map<String, Tensor> tensors = new TreeMap<>();
        for (String name : source.names()) {
            if (KnownExtras.of(name).isEmpty()) {
                String newer = name;
                for (var old : OLD_NAMES.entrySet()) {
                    newer = name.contains("mid_block.attentions.") ? newer.replace(old.getKey(), old.getValue()) : newer;
                }
                tensors.put(newer, source.get(name));
            }
        }
        return tensors;
    }

    private static boolean isVaeAttention(String component, String name) {
        return component.equals("vae") && name.contains(".attentions.") && name.endsWith(".weight");
    }

    /** The original code has 1x1 convolutions where diffusers has matrices. */
    private static Tensor matrix(Tensor x) {
        return x.shape().length == 4 ? x.squeeze(3).squeeze(2) : x;
    }

    private static Tensor convolution(Tensor x) {
        return x.shape().length == 2 ? x.unsqueeze(2).unsqueeze(3) : x;
    }

    private static void write(Path file, ObjectNode json) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, JSON.writer(new DefaultPrettyPrinter()).writeValueAsString(json) + "\n");
    }

    private static void discard(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Writes one file under the names of the original code, and beside it the yaml that says what shapes do not. */
    public static void toFile(ModelFolder model, Path out) {
        UNetConfig unet = UNetConfig.of(model.config("unet"));
        ConfigJson vae = model.config("vae"), text = model.config("text_encoder");
        if (Arrays.stream(unet.heads()).distinct().count() > 1 && !sameHeadWidth(unet)) {
            throw new CheckpointException(model.path() + ": heads " + Arrays.toString(unet.heads())
                    + " of the U-Net's levels: the original layout has one number, or one width, for all");
        }
        boolean second = text.text("hidden_act", "quick_gelu").equals("gelu");
        LdmNames vaeNames = LdmNames.vae(vae.integers("block_out_channels").length, vae.integer("layers_per_block", 1)).reversed();
        try (TensorSource u = model.weights("unet"); TensorSource v = model.weights("vae"); TensorSource t = model.weights("text_encoder");
                Scope scope = new Scope()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            LdmNames unetNames = LdmNames.unet(unet).reversed();
            component(u).forEach((name, x) -> tensors.put(LdmConfigs.UNET + original(u, unetNames, name), x));
            component(v).forEach((name, x) -> tensors.put(LdmConfigs.VAE + original(v, vaeNames, name),
                    isVaeAttention("vae", name) ? convolution(x) : x));
            Map<String, Tensor> states = new TreeMap<>();
            component(t).forEach((name, x) -> states.put(name.startsWith("text_model.") ? name : "text_model." + name, x));
            if (second) {
                putOpenClip(states, tensors, t, text.integer("num_hidden_layers", 12));
            } else {
                states.forEach((name, x) -> tensors.put(LdmConfigs.CLIP + name, x));
            }
            SafeTensors.write(out, tensors, METADATA);
        }
        writeYaml(model, unet, vae, second, out);
    }

    private static boolean sameHeadWidth(UNetConfig unet) {
        return IntStream.range(0, unet.widths().length)
                .allMatch(i -> unet.widths()[i] * unet.heads()[0] == unet.widths()[0] * unet.heads()[i]);
    }

    private static void putOpenClip(Map<String, Tensor> states, Map<String, Tensor> tensors, TensorSource source, int layers) {
        LdmNames names = LdmNames.openClip(layers).reversed();
        states.forEach((name, x) -> {
            if (name.contains(".self_attn.q_proj.")) {
                String layer = name.substring(0, name.indexOf(".self_attn."));
                String kind = name.substring(name.lastIndexOf('.') + 1);
                Tensor[] parts = Stream.of("q", "k", "v").map(p -> states.get(layer + ".self_attn." + p + "_proj." + kind))
                        .toArray(Tensor[]::new);
                tensors.put(LdmConfigs.OPEN_CLIP + original(source, names, layer) + ".attn.in_proj_" + kind, Tensor.cat(0, parts));
            } else if (!name.contains(".self_attn.k_proj.") && !name.contains(".self_attn.v_proj.")) {
                tensors.put(LdmConfigs.OPEN_CLIP + original(source, names, name), x);
            }
        });
    }

    private static String original(TensorSource source, LdmNames names, String name) {
        return names.rename(name).orElseThrow(() -> new CheckpointException(source.description() + ": tensor '" + name
                + "' has no name in the original layout"));
    }

    private static void writeYaml(ModelFolder model, UNetConfig unet, ConfigJson vae, boolean second, Path out) {
        ObjectNode scheduler = model.scheduler();
        ObjectNode root = JSON.createObjectNode();
        ObjectNode params = root.putObject("model").putObject("params");
        params.put("parameterization", switch (scheduler.path("prediction_type").asText("epsilon")) {
            case "v_prediction" -> "v";
            case "sample" -> "x0";
            default -> "eps";
        });
        params.put("linear_start", scheduler.path("beta_start").asDouble(0.0001))
                .put("linear_end", scheduler.path("beta_end").asDouble(0.02))
                .put("timesteps", scheduler.path("num_train_timesteps").asInt(1000))
                .put("scale_factor", vae.number("scaling_factor", 0.18215));
        ObjectNode network = params.putObject("unet_config").putObject("params").put("in_channels", unet.inChannels())
                .put("model_channels", unet.widths()[0]).put("context_dim", unet.contextWidths()[0]);
        boolean sameWidth = sameHeadWidth(unet);
        network.put(sameWidth ? "num_head_channels" : "num_heads", sameWidth ? unet.widths()[0] / unet.heads()[0] : unet.heads()[0]);
        if (second) {
            params.putObject("cond_stage_config").putObject("params").put("layer", "last");
        }
        Path yaml = out.resolveSibling(out.getFileName().toString().replaceFirst("\\.[^.]*$", "") + ".yaml");
        try {
            Files.writeString(yaml, new YAMLMapper().writeValueAsString(root));
        } catch (IOException e) {
            throw new UncheckedIOException(yaml + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** Writes every tensor of a checkpoint, under its own name, as safetensors. */
    public static void toSafeTensors(TensorSource source, Path out) {
        try (Scope scope = new Scope()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            source.names().forEach(name -> tensors.put(name, source.get(name)));
            SafeTensors.write(out, tensors, METADATA);
        }
    }
}
