package io.sfumato.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.RenamedTensors;
import io.sfumato.io.RenamedTensors.Part;
import io.sfumato.io.TensorSource;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Stable Diffusion 1 or 2 in one file under the names of its original code ("ldm"): safetensors or a PyTorch checkpoint. What it is
 * and its sizes are read from names and shapes; what these cannot tell is the family's default, or stands in {@code NAME.yaml} beside
 * it, or in the configs of a folder that the user names.
 */
final class SingleFile implements ModelLayout {
    /** What other files are, by a beginning of names in them, for the message. */
    private static final Map<String, String> OTHERS = new LinkedHashMap<>();
    private static final String QKV = ".attn.in_proj_";
    static final int PUBLISHED_TOKENS = 49408;
    private static final int SHOWN = 10;
    private static final Map<Long, String> PIPELINES = Map.of(4L, "StableDiffusionPipeline", 9L, "StableDiffusionInpaintPipeline",
            8L, "StableDiffusionInstructPix2PixPipeline", 5L, "StableDiffusionDepth2ImgPipeline", 7L, "StableDiffusionUpscalePipeline");

    static {
        OTHERS.put("conditioner.embedders.", "Stable Diffusion XL");
        OTHERS.put("model.diffusion_model.joint_blocks.", "Stable Diffusion 3");
        OTHERS.put("model.diffusion_model.double_blocks.", "FLUX");
        OTHERS.put("double_blocks.", "FLUX");
        OTHERS.put("control_model.", "a ControlNet");
        OTHERS.put("lora_", "a LoRA");
        OTHERS.put("down_blocks.", "a U-Net out of a model folder");
        OTHERS.put("encoder.down_blocks.", "an autoencoder out of a model folder");
        OTHERS.put("encoder.down.", "an autoencoder alone");
        OTHERS.put("text_model.", "a text encoder out of a model folder");
        OTHERS.put("cond_stage_model.transformer.token_emb.", "latent diffusion with a text encoder of its own");
        OTHERS.put("model.diffusion_model.", "a part of Stable Diffusion, or another model of latent diffusion");
    }

    private final Path file;
    private final FileHints hints;
    private final boolean second;
    private final Map<String, JsonNode> configs = new HashMap<>();
    private final Map<String, ObjectNode> schedulers = new HashMap<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, Map<String, Part>> parts;

    /** @throws CheckpointException naming the file, and what it is instead or what in it is wrong */
    static SingleFile open(Path file, FileHints hints) {
        try (TensorSource source = TensorSource.open(file)) {
            return new SingleFile(file, hints, source);
        }
    }

    private SingleFile(Path file, FileHints hints, TensorSource source) {
        this.file = file;
        this.hints = hints;
        if (!hints.config().isEmpty() && !Files.isDirectory(Path.of(hints.config()))) {
            throw new CheckpointException(hints.config() + ": there is no such folder, where --config wants one with configs");
        }
        Set<String> names = source.names();
        second = names.contains(LdmConfigs.OPEN_CLIP + "ln_final.weight");
        boolean first = names.stream().anyMatch(name -> name.startsWith(LdmConfigs.CLIP) && name.endsWith("final_layer_norm.weight"));
        if (!names.contains(LdmConfigs.UNET + "input_blocks.0.0.weight") || first == second) {
            throw notRecognised(names);
        }
        LdmYaml yaml = LdmYaml.beside(file);
        LdmConfigs ldm = new LdmConfigs(source, yaml, second);
        configs.put("unet", given("unet").orElseGet(ldm::unet));
        if (given("vae").isEmpty() && !names.contains(LdmConfigs.VAE + "decoder.conv_in.weight")) {
            throw new CheckpointException(file + ": it has no autoencoder (" + LdmConfigs.VAE + "*): --config FOLDER with a vae is wanted");
        }
        configs.put("vae", given("vae").orElseGet(ldm::vae));
        configs.put("text_encoder", given("text_encoder").orElseGet(ldm::text));
        schedulers.put("scheduler", ldm.scheduler());
        schedulers.put("low_res_scheduler", LdmConfigs.lowResScheduler());
        for (String component : List.copyOf(schedulers.keySet())) {
            Path given = Path.of(hints.config()).resolve(component).resolve("scheduler_config.json");
            if (!hints.config().isEmpty() && Files.exists(given)) {
                schedulers.put(component, (ObjectNode) JsonFile.read(given));
            }
        }
        parts = parts(names);
        refuseOthers(names);
        note(yaml);
    }

    private CheckpointException notRecognised(Set<String> names) {
        String kind = OTHERS.entrySet().stream().filter(other -> names.stream().anyMatch(name -> name.startsWith(other.getKey())))
                .map(other -> "it seems to be " + other.getValue()).findFirst()
                .orElse("its " + names.size() + " tensors are of nothing known");
        return new CheckpointException(file + ": no Stable Diffusion 1 or 2 in a single file, with U-Net, text encoder and autoencoder "
                + "under the names of its original code: " + kind);
    }

    /** The config of the folder that the user names. */
    private Optional<JsonNode> given(String component) {
        Path config = Path.of(hints.config()).resolve(component).resolve("config.json");
        return hints.config().isEmpty() || !Files.exists(config) ? Optional.empty()
                : Optional.of(JsonFile.read(config));
    }

    private UNetConfig unet() {
        return UNetConfig.of(config(file + ": config of the U-Net", "unet"));
    }

    private ConfigJson config(String source, String component) {
        return new ConfigJson(source, configs.get(component));
    }

    /** The tensors of each component by diffusers' names. */
    private Map<String, Map<String, Part>> parts(Set<String> names) {
        Map<String, Map<String, Part>> all = new HashMap<>();
        Map<String, Part> unet = renamed(names, LdmConfigs.UNET, LdmNames.unet(unet()));
        if (hints.averaged()) {
            unet.replaceAll((name, part) -> new Part(averaged(part.name(), names)));
        }
        all.put("unet", unet);
        ConfigJson vae = config(file + ": config of the autoencoder", "vae");
        all.put("vae", renamed(names, LdmConfigs.VAE,
                LdmNames.vae(vae.integers("block_out_channels").length, vae.integer("layers_per_block", 1))));
        int layers = config(file + ": config of the text encoder", "text_encoder").integer("num_hidden_layers", 12);
        all.put("text_encoder", second ? renamed(names, LdmConfigs.OPEN_CLIP, LdmNames.openClip(layers)) : sameNames(names));
        return all;
    }

    /** The name of a tensor's average, which has no dots. */
    private String averaged(String name, Set<String> names) {
        String averaged = "model_ema." + name.substring("model.".length()).replace(".", "");
        if (!names.contains(averaged)) {
            throw new CheckpointException(file + ": it has no averaged weights: there is no tensor '" + averaged + "'");
        }
        return averaged;
    }

    private static Map<String, Part> renamed(Set<String> names, String prefix, LdmNames layout) {
        Map<String, Part> parts = new LinkedHashMap<>();
        for (String name : names) {
            if (name.startsWith(prefix) && KnownExtras.of(name).isEmpty()) {
                layout.rename(name.substring(prefix.length())).ifPresent(to -> put(parts, to, name));
            }
        }
        return parts;
    }

    /** Queries, keys and values may be one tensor. */
    static void put(Map<String, Part> parts, String to, String name) {
        int fused = to.indexOf(QKV);
        for (int i = 0; i < 3 && fused >= 0; i++) {
            parts.put(to.substring(0, fused) + ".self_attn." + "qkv".charAt(i) + "_proj." + to.substring(fused + QKV.length()),
                    new Part(name, i, 3));
        }
        if (fused < 0) {
            parts.put(to, new Part(name));
        }
    }

    /** SD 1's text encoder has transformers' names. */
    private static Map<String, Part> sameNames(Set<String> names) {
        Map<String, Part> parts = new LinkedHashMap<>();
        names.stream().filter(name -> name.startsWith(LdmConfigs.CLIP) && KnownExtras.of(name).isEmpty())
                .forEach(name -> parts.put(name.substring(LdmConfigs.CLIP.length()), new Part(name)));
        return parts;
    }

    /** Every tensor belongs to a component or is a known extra; of SD 2's text encoder layers after those used may be there. */
    private void refuseOthers(Set<String> names) {
        Set<String> others = new TreeSet<>(names);
        parts.values().forEach(component -> component.values().forEach(part -> others.remove(part.name())));
        if (hints.averaged()) {
            others.removeIf(name -> name.startsWith(LdmConfigs.UNET) && names.contains(averaged(name, names)));
        }
        others.removeIf(name -> KnownExtras.of(name).isPresent() || name.startsWith(LdmConfigs.OPEN_CLIP + "transformer.resblocks."));
        if (!others.isEmpty()) {
            throw new CheckpointException(file + ": " + others.size() + " tensors are of no part of Stable Diffusion "
                    + (second ? 2 : 1) + ": " + String.join(", ", others.stream().limit(SHOWN).toList())
                    + (others.size() > SHOWN ? ", ..." : ""));
        }
    }

    private void note(LdmYaml yaml) {
        notes.add(file.getFileName() + " is Stable Diffusion " + (second ? "2" : "1") + " in one file ("
                + (second ? "OpenCLIP" : "CLIP") + " reads the text, the U-Net has " + unet().inChannels() + " input channels)");
        String by = !hints.config().isEmpty() ? "told by " + hints.config() : yaml.isThere() ? "told by " + yaml.file() : "assumed";
        String prediction = hints.prediction().isEmpty() ? by : "told by --prediction";
        String type = hints.predictionType(schedulers.get("scheduler").path("prediction_type").asText("epsilon"));
        notes.add("prediction " + type + " (" + prediction + "), heads " + unet().heads()[0] + " at full size (" + by + "), "
                + unet().groups() + " norm groups (" + (hints.config().isEmpty() ? "assumed" : by) + ")");
    }

    @Override
    public String pipeline() {
        String pipeline = PIPELINES.get(configs.get("unet").path("in_channels").asLong(4));
        if (pipeline == null) {
            throw new CheckpointException(file + ": its U-Net has " + unet().inChannels() + " input channels; known are "
                    + PIPELINES.keySet().stream().sorted().toList());
        }
        return pipeline;
    }

    @Override
    public ConfigJson config(String component) {
        if (!configs.containsKey(component)) {
            throw missing(component);
        }
        return config(file + ": config of " + component, component);
    }

    @Override
    public ObjectNode scheduler(String component) {
        if (!schedulers.containsKey(component)) {
            throw missing(component);
        }
        return schedulers.get(component);
    }

    @Override
    public ClipTokenizer tokenizer() {
        Path own = Path.of(hints.config()).resolve("tokenizer");
        if (!hints.config().isEmpty() && Files.isDirectory(own)) {
            return ClipTokenizer.load(own);
        }
        requirePublishedTokens();
        try (InputStream gzip = published()) {
            ClipTokenizer published = ClipTokenizer.fromMerges(gzip);
            return second ? published.withPadding("!") : published;
        } catch (IOException e) {
            throw new CheckpointException("the published vocabulary cannot be read: " + e.getMessage(), e);
        }
    }

    static InputStream published() {
        return SingleFile.class.getResourceAsStream("/io/sfumato/clip/bpe_simple_vocab_16e6.txt.gz");
    }

    private void requirePublishedTokens() {
        int tokens = config("text_encoder").integer("vocab_size", PUBLISHED_TOKENS);
        if (tokens != PUBLISHED_TOKENS) {
            throw new CheckpointException(file + ": its text encoder knows " + tokens + " tokens, the published vocabulary "
                    + PUBLISHED_TOKENS + ": --config FOLDER with the tokenizer is wanted");
        }
    }

    @Override
    public void copyTokenizer(Path to) {
        if (!hints.config().isEmpty() && Files.isDirectory(Path.of(hints.config()).resolve("tokenizer"))) {
            new DiffusersFolder(Path.of(hints.config())).copyTokenizer(to);
            return;
        }
        requirePublishedTokens();
        try (InputStream gzip = published()) {
            ClipTokenizer.unpack(gzip, second ? "!" : "<|endoftext|>", to);
        } catch (IOException e) {
            throw new CheckpointException("the published vocabulary cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public TensorSource weights(String component) {
        if (!parts.containsKey(component)) {
            throw missing(component);
        }
        if (parts.get(component).isEmpty() && !hints.config().isEmpty()) {
            return new DiffusersFolder(Path.of(hints.config())).weights(component);
        }
        if (parts.get(component).isEmpty()) {
            throw new CheckpointException(file + ": it has no " + component + ": --config FOLDER with one is wanted");
        }
        return new RenamedTensors(TensorSource.open(file), parts.get(component));
    }

    @Override
    public Path folder(String component) {
        throw missing(component);
    }

    private CheckpointException missing(String component) {
        return new CheckpointException(file + ": the component '" + component + "' is missing: a single file has "
                + "text_encoder, unet and vae");
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }
}
