package io.sfumato.cli;

import io.sfumato.hub.ModelUri;
import io.sfumato.training.ClipRecipe;
import io.sfumato.training.ClipTrainer;
import io.sfumato.training.DalleRecipe;
import io.sfumato.training.DalleTrainer;
import io.sfumato.training.ImagenRecipe;
import io.sfumato.training.ImagenTrainer;
import io.sfumato.training.Progress;
import io.sfumato.training.Recipe;
import io.sfumato.training.TokenRecipe;
import io.sfumato.training.TokenTrainer;
import io.sfumato.training.Trainer;
import io.sfumato.training.UnclipRecipe;
import io.sfumato.training.UnclipTrainer;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a model as a recipe says. */
@Command(name = "train", mixinStandardHelpOptions = true,
        description = "Trains a model as a recipe says. A run that was cut off goes on from its last checkpoint.",
        footer = {"", "Example:", "  sfumato train recipes/first-light.yaml --run runs/mine"})
final class Train implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RECIPE.yaml")
    private Path file;

    private List<Path> run = List.of();
    private List<String> start = List.of();

    @Option(names = "--quiet", description = "no progress")
    private boolean quiet;

    @Option(names = "--run", paramLabel = "FOLDER", description = "where checkpoints, curves and the model go (runs/NAME of the recipe)")
    private void run(Path folder) {
        run = List.of(folder);
    }

    @Option(names = "--start", paramLabel = "URI",
            description = "a new run begins with this model: a folder or builtin:NAME of the recipe's sizes (random weights)")
    private void start(String model) {
        start = List.of(model);
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (TokenRecipe.matches(file)) {
            TokenRecipe recipe = TokenRecipe.read(file);
            return trainOther(recipe.name(), (folder, line, check) -> new TokenTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        if (ImagenRecipe.fits(file)) {
            ImagenRecipe recipe = ImagenRecipe.read(file);
            return trainOther(recipe.name(), (folder, line, check) -> new ImagenTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        if (DalleRecipe.matches(file)) {
            DalleRecipe recipe = DalleRecipe.read(file);
            return trainOther(recipe.name(), (folder, line, check) -> new DalleTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        if (UnclipRecipe.fits(file)) {
            UnclipRecipe recipe = UnclipRecipe.read(file);
            return trainOther(recipe.name(), (folder, line, check) -> new UnclipTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        if (ClipRecipe.matches(file)) {
            ClipRecipe recipe = ClipRecipe.read(file);
            return trainOther(recipe.name(), (folder, line, check) -> new ClipTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        Recipe recipe = Recipe.read(file);
        Path folder = run.isEmpty() ? Path.of("runs", recipe.name()) : run.get(0);
        boolean resumes = Files.isDirectory(folder);
        if (resumes && !start.isEmpty()) {
            throw new IllegalArgumentException(folder + " is a run that has begun: --start is for a new one, see --run");
        }
        if (!quiet) {
            err.println((resumes ? "going on in " : "training in ") + folder);
            err.flush();
        }
        try (var interruption = new Interruption();
                var progress = new ProgressLine(err, !quiet && ProgressLine.onTerminal())) {
            Trainer trainer = new Trainer(recipe, folder, (stage, done, total, loss) -> {
                interruption.check();
                progress.step(stage, done, total, Double.isNaN(loss) ? "" : String.format(Locale.ROOT, "loss %.4f", loss));
            });
            start.forEach(uri -> trainer.start(ModelUri.resolve(uri).path()));
            Path model = trainer.train(saved -> interruption.check());
            progress.close();
            out.println(model);
            out.flush();
            return 0;
        }
    }

    /** A training that is not of latent diffusion: in a run's folder, to a model's. */
    private interface Training {
        Path train(Path folder, Progress progress, Runnable check);
    }

    private int trainOther(String name, Training training) {
        PrintWriter out = spec.commandLine().getOut(), err = spec.commandLine().getErr();
        if (!start.isEmpty()) {
            throw new IllegalArgumentException("--start is for recipes of latent diffusion: " + file + " is of another kind");
        }
        Path folder = run.isEmpty() ? Path.of("runs", name) : run.get(0);
        if (!quiet) {
            err.println((Files.isDirectory(folder) ? "going on in " : "training in ") + folder);
            err.flush();
        }
        try (var interruption = new Interruption(); var progress = new ProgressLine(err, !quiet && ProgressLine.onTerminal())) {
            Progress line = (stage, done, total, loss) -> {
                interruption.check();
                progress.step(stage, done, total, Double.isNaN(loss) ? "" : String.format(Locale.ROOT, "loss %.4f", loss));
            };
            Path model = training.train(folder, line, interruption::check);
            progress.close();
            out.println(model);
            out.flush();
            return 0;
        }
    }
}
