package io.sfumato.cli;

import io.sfumato.hub.ModelConverter;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a model in another layout. */
@Command(name = "convert", mixinStandardHelpOptions = true, sortOptions = false,
        description = {"Writes a model of Stable Diffusion 1 or 2 in the other layout: OUT is a folder of diffusers, or a .safetensors file "
            + "under the names of the original code. The numbers stay as they are.",
            "From a file to a .safetensors file, every tensor of any checkpoint keeps its name."},
        footer = {"", "Example:", "  sfumato models convert sd-v1-4.ckpt stable-diffusion-v1-4"})
final class Convert implements Callable<Integer> {
    private static final String FILE = ".safetensors";

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "IN", description = "a model folder, or a checkpoint")
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", description = "a new folder, or a .safetensors file")
    private Path out;

    @Mixin
    private final FileOptions files = new FileOptions();

    @Override
    public Integer call() {
        var hints = Main.checked(spec, files::hints);
        boolean toFile = out.toString().endsWith(FILE);
        if (!toFile && out.getFileName().toString().matches(".*\\.(ckpt|pth?|bin|pkl)")) {
            throw new CheckpointException(out + ": PyTorch's files are read only: OUT must end in .safetensors, or be a folder");
        }
        if (toFile && Files.isRegularFile(in)) {
            try (TensorSource source = TensorSource.open(in)) {
                ModelConverter.toSafeTensors(source, out);
            }
        } else {
            ModelFolder model = new ModelFolder(in, hints);
            if (toFile) {
                ModelConverter.toFile(model, out);
            } else {
                ModelConverter.toFolder(model, out);
            }
            PrintWriter err = spec.commandLine().getErr();
            model.notes().forEach(note -> err.println("sfumato: " + note));
            err.flush();
        }
        spec.commandLine().getOut().println(out);
        spec.commandLine().getOut().flush();
        return 0;
    }
}
