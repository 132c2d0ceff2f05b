package io.sfumato.cli;

import io.sfumato.LoadOptions;
import io.sfumato.autoregressive.Reconstruction;
import io.sfumato.families.PerceptualDistance;
import io.sfumato.families.PictureTokenizers;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Pictures as codes, and back. */
@Command(name = "tokens", mixinStandardHelpOptions = true, description = "Writes a picture as codes, and draws codes.",
        synopsisSubcommandLabel = "COMMAND", subcommands = {Tokens.Encode.class, Tokens.Decode.class})
final class Tokens implements Runnable {
    private static final String CODES = "tokens";

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: tokens encode, tokens decode");
    }

    @Command(name = "encode", mixinStandardHelpOptions = true, sortOptions = false,
            description = "Writes a picture's codes as a .safetensors file, and tells how well the picture comes back from them.",
            footer = {"", "Example:", "  sfumato tokens encode cat.png --tokenizer vqgan.ckpt --output cat.safetensors"})
    static final class Encode implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "IMAGE")
        private Path file;

        @Option(order = 1, names = "--tokenizer", paramLabel = "PATH", required = true,
                description = "a tokenizer of pictures: a .ckpt with its .yaml, a .pt, or a folder")
        private Path tokenizer;

        @Option(order = 2, names = "--output", paramLabel = "FILE", required = true, description = "ends in .safetensors")
        private Path output;

        private List<Path> reconstruction = List.of();
        private List<Path> lpips = List.of();

        @Option(order = 4, names = "--width", paramLabel = "W", description = "resize the picture first (its own width)")
        private int width;

        @Option(order = 5, names = "--height", paramLabel = "H", description = "the same (its own height)")
        private int height;

        @Option(order = 6, names = "--lpips", paramLabel = "FOLDER",
                description = "tell LPIPS, too: torchvision's VGG16 and the lpips package's vgg.pth are in it")
        private void lpips(Path folder) {
            lpips = List.of(folder);
        }

        @Option(order = 3, names = "--reconstruction", paramLabel = "FILE",
                description = "write the picture as it comes back from its codes")
        private void reconstruction(Path picture) {
            reconstruction = List.of(picture);
        }

        @Override
        public Integer call() {
            reconstruction.forEach(picture -> Main.checked(spec, () -> Targets.pictures(picture, 1)));
            Targets.requireWritable(output);
            Image image = Image.read(file).rgb();
            int w = width > 0 ? width : image.width(), h = height > 0 ? height : image.height();
            try (var scope = new Scope(); var noGrad = new NoGrad();
                    var opened = PictureTokenizers.open(tokenizer, LoadOptions.defaults())) {
                PictureTokenizer t = opened.tokenizer();
                if (w % t.factor() != 0 || h % t.factor() != 0) {
                    throw new CheckpointException(file + ": " + w + "x" + h + ", where this tokenizer wants multiples of " + t.factor()
                            + ": --width and --height resize it");
                }
                Image sized = w == image.width() && h == image.height() ? image : image.resize(w, h, Resampling.BICUBIC);
                Tensor x = Tensor.of(sized.toChw(), 1, 3, h, w), codes = t.encode(x);
                Tensor again = t.decode(codes).to(DType.F32);
                SafeTensors.write(output, Map.of(CODES, codes), Map.of());
                reconstruction.forEach(picture -> Image.fromChw(again.select(0, 0).contiguous().toFloats(), w, h).write(picture));
                report(codes, t, Reconstruction.of(x, again, codes), w, h, lpips(x, again));
            }
            return 0;
        }

        private String lpips(Tensor x, Tensor again) {
            if (lpips.isEmpty()) {
                return "";
            }
            try (PerceptualDistance distance = PerceptualDistance.load(lpips.get(0))) {
                return String.format(Locale.ROOT, ", LPIPS %.4f", distance.distance(x, again).item());
            }
        }

        private void report(Tensor codes, PictureTokenizer t, Reconstruction r, int w, int h, String looks) {
            PrintWriter out = spec.commandLine().getOut();
            String similar = w < 11 || h < 11 ? "" : String.format(Locale.ROOT, ", SSIM %.4f", r.ssim());
            out.println(String.format(Locale.ROOT, "%dx%d pixels as %d codes; PSNR %.2f dB%s%s", w, h, codes.numel(), r.psnr(),
                    similar, looks));
            out.println(String.format(Locale.ROOT, "%d of %d codes occur, perplexity %.1f", r.distinct(), t.codes(), r.perplexity()));
            out.println(output);
            out.flush();
        }
    }

    @Command(name = "decode", mixinStandardHelpOptions = true, sortOptions = false, description = "Draws the codes in a .safetensors file.",
            footer = {"", "Example:", "  sfumato tokens decode cat.safetensors --tokenizer vqgan.ckpt --output cat.png"})
    static final class Decode implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "FILE", description = "with codes as encode writes them, or a trace of generate")
        private Path file;

        @Option(order = 1, names = "--tokenizer", paramLabel = "PATH", required = true, description = "the tokenizer that wrote them")
        private Path tokenizer;

        @Option(order = 2, names = "--output", paramLabel = "FILE", required = true, description = "ends in .png, .jpg or .webp")
        private Path output;

        @Override
        public Integer call() {
            Main.checked(spec, () -> Targets.pictures(output, 1));
            Targets.requireWritable(output);
            try (var scope = new Scope(); var noGrad = new NoGrad(); SafeTensors tensors = SafeTensors.open(file);
                    var opened = PictureTokenizers.open(tokenizer, LoadOptions.defaults())) {
                Tensor codes = codes(tensors, opened.tokenizer());
                Tensor picture = opened.tokenizer().decode(codes).to(DType.F32);
                Image.fromChw(picture.select(0, 0).contiguous().toFloats(), (int) picture.size(3), (int) picture.size(2)).write(output);
                spec.commandLine().getOut().println(output);
                spec.commandLine().getOut().flush();
            }
            return 0;
        }

        private Tensor codes(SafeTensors tensors, PictureTokenizer t) {
            if (!tensors.names().contains(CODES)) {
                throw new CheckpointException(file + ": there is no tensor '" + CODES + "' in it");
            }
            Tensor codes = tensors.get(CODES).to(DType.I64).narrow(0, 0, 1);
            if (codes.dim() == 2) {                                                         // a trace: rows one after another
                long side = Math.round(Math.sqrt(codes.size(1)));
                codes = codes.view(1, side, codes.size(1) / side);
            }
            long[] values = codes.toLongs();
            for (int i = 0; i < values.length; i++) {
                if (values[i] < 0 || values[i] >= t.codes()) {
                    throw new CheckpointException(file + ": code " + values[i] + " at place " + i + ", where this tokenizer has "
                            + t.codes() + " codes: 0 to " + (t.codes() - 1));
                }
            }
            return codes;
        }
    }
}
