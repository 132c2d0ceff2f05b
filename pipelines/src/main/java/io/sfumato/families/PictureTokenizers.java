package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.ConfigYaml;
import io.sfumato.io.JsonFile;
import io.sfumato.io.TensorSource;
import io.sfumato.models.tokenizer.DVae;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.models.tokenizer.VitVqGan;
import io.sfumato.models.tokenizer.VqGan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * Opens tokenizers of pictures in all layouts that they are published in: a {@code .ckpt} of taming-transformers or enhancing-transformers
 * with its {@code .yaml} beside it, LlamaGen's {@code vq_*.pt}, a folder of diffusers ({@code config.json} of {@code VQModel}), DALL-E's
 * {@code encoder.pkl} and {@code decoder.pkl}, minDALL-E's folder, and this project's own folders.
 */
public final class PictureTokenizers {
    private static final List<String> ENDINGS = List.of(".safetensors", ".pkl", ".pt", ".ckpt", ".bin");

    private PictureTokenizers() {
    }

    /** A tokenizer and its files, to be closed. */
    public static final class Opened implements AutoCloseable {
        private final OpenFiles files;
        private final PictureTokenizer tokenizer;

        private Opened(LoadOptions load, BiFunction<OpenFiles, Path, PictureTokenizer> open, Path path) {
            files = new OpenFiles(load);
            try {
                tokenizer = open.apply(files, path);
            } catch (RuntimeException e) {
                files.close();
                throw e;
            }
        }

        public PictureTokenizer tokenizer() {
            return tokenizer;
        }

        @Override
        public void close() {
            files.close();
        }
    }

    /**
     * Opens a file or a folder.
     *
     * @throws CheckpointException for what is no tokenizer of pictures, saying what would be one
     */
    public static Opened open(Path path, LoadOptions load) {
        return new Opened(load, PictureTokenizers::read, path);
    }

    static PictureTokenizer read(OpenFiles files, Path path) {
        if (Files.isRegularFile(path)) {
            return file(files, path);
        }
        if (!Files.isDirectory(path)) {
            throw new CheckpointException(path + ": there is no such file or folder");
        }
        for (String component : List.of("vqvae", "movq", "vq", "dvae")) {
            if (Files.isDirectory(path.resolve(component))) {
                PictureTokenizer found = read(files, path.resolve(component));
                return found instanceof VqGan vq && isAmused(path) ? new UnitRange(vq) : found;
            }
        }
        if (Files.exists(path.resolve("stage1_last.ckpt"))) {
            ConfigJson stage1 = ConfigYaml.read(path.resolve("config.yaml")).child("stage1");
            VqGan.Config config = VqGan.Config.taming(stage1, stage1.child("hparams"), VqGan.Quantizer.NEAREST);
            return vqGan(files, files.open(path.resolve("stage1_last.ckpt")), config);
        }
        if (ENDINGS.stream().anyMatch(ending -> Files.exists(path.resolve("encoder" + ending)))) {
            return dvae(files, path);
        }
        if (Files.exists(path.resolve("config.json"))) {
            return folder(files, path);
        }
        throw new CheckpointException(path + ": no tokenizer of pictures: neither config.json, nor encoder.pkl and decoder.pkl, nor"
                + " stage1_last.ckpt is in it");
    }

    private static boolean isAmused(Path folder) {
        Path index = folder.resolve("model_index.json");
        return Files.exists(index) && JsonFile.read(index).path("_class_name").asText().startsWith("Amused");
    }

    private static PictureTokenizer folder(OpenFiles files, Path path) {
        ConfigJson config = ConfigJson.read(path.resolve("config.json"));
        TensorSource weights = files.open(first(path, List.of("diffusion_pytorch_model.safetensors", "model.safetensors",
                "diffusion_pytorch_model.bin")));
        if (config.has("target")) {
            return vit(files, weights, config);
        }
        config.require("_class_name", "VQModel");
        return vqGan(files, weights, VqGan.Config.diffusers(config));
    }

    private static Path first(Path folder, List<String> names) {
        return names.stream().map(folder::resolve).filter(Files::exists).findFirst()
                .orElseThrow(() -> new CheckpointException(folder + ": there is no " + String.join(" or ", names)));
    }

    private static PictureTokenizer file(OpenFiles files, Path path) {
        String stem = path.getFileName().toString().replaceFirst("\\.[^.]*$", "");
        TensorSource weights = files.open(path);
        List<Path> yaml = Stream.of(".yaml", ".yml").map(ending -> path.resolveSibling(stem + ending)).filter(Files::exists).toList();
        if (yaml.isEmpty()) {
            if (weights.names().contains("encoder.down.0.block.0.conv1.weight") || weights.names().contains("encoder.en_pos_embedding")) {
                throw new CheckpointException(path + ": its sizes stand in the yaml that it was trained with: " + stem
                        + ".yaml is wanted beside it");
            }
            return vqGan(files, weights, VqGan.Config.llamaGen(weights));
        }
        ConfigJson model = ConfigYaml.read(yaml.get(0)).child("model");
        String target = model.text("target", "");
        if (target.contains("ViTVQ")) {
            return vit(files, weights, model);
        }
        if (!target.endsWith("VQModel") && !target.endsWith("GumbelVQ") && !target.endsWith("VQModelInterface")) {
            throw model.wrong("target", target, "taming.models.vqgan.VQModel, GumbelVQ or enhancing's ViTVQ");
        }
        ConfigJson params = model.child("params");
        return vqGan(files, weights, VqGan.Config.taming(params, params.child("ddconfig"),
                target.endsWith("GumbelVQ") ? VqGan.Quantizer.GUMBEL : VqGan.Quantizer.NEAREST));
    }

    private static PictureTokenizer vqGan(OpenFiles files, TensorSource weights, VqGan.Config config) {
        return files.build(weights, w -> new VqGan(w, config), VqGan::isExtra);
    }

    private static PictureTokenizer vit(OpenFiles files, TensorSource weights, ConfigJson model) {
        VitVqGan.Config config = VitVqGan.Config.of(model);
        return files.build(weights, w -> new VitVqGan(w, config), VqGan::isExtra);
    }

    private static PictureTokenizer dvae(OpenFiles files, Path folder) {
        TensorSource encoder = files.open(first(folder, ENDINGS.stream().map(ending -> "encoder" + ending).toList()));
        TensorSource decoder = files.open(first(folder, ENDINGS.stream().map(ending -> "decoder" + ending).toList()));
        return DVae.load(files.weights(encoder), files.weights(decoder), DVae.Config.of(encoder, decoder));
    }
}
