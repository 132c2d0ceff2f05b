package io.sfumato.cli;

import io.sfumato.hub.ModelUri;
import io.sfumato.tensor.ProcessGroup;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a model as a recipe says. */
@Command(name = "train", mixinStandardHelpOptions = true,
        description = "Trains a model as a recipe says. A run that was cut off goes on from its last checkpoint.",
        footer = {"", "Example:", "  sfumato train recipes/first-light.yaml --run runs/mine --processes 2"})
final class Train implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RECIPE.yaml")
    private Path file;

    private List<Path> run = List.of();
    private List<String> start = List.of();
    private List<String> autoencoder = List.of();

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

    @Option(names = "--autoencoder", paramLabel = "URI", description = "a new run begins with the autoencoder of this model alone")
    private void autoencoder(String model) {
        autoencoder = List.of(model);
    }

    @Option(names = "--processes", paramLabel = "N",
            description = "processes on this machine that share each batch (${DEFAULT-VALUE})")
    private int processes = 1;

    @Override
    public Integer call() {
        if (processes < 1) {
            throw new ParameterException(spec.commandLine(), "processes must be at least 1, not " + processes);
        }
        if (!start.isEmpty() && !autoencoder.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "--start begins with a whole model, --autoencoder with that part of one: "
                    + "one of the two is wanted");
        }
        if (TokenRecipe.matches(file)) {
            TokenRecipe recipe = TokenRecipe.read(file);
            return trainOther(recipe.name(), recipe::requireSharedBy, (folder, line, group, check) ->
                    new TokenTrainer(recipe, folder, line, group).train(saved -> check.run()));
        }
        if (ImagenRecipe.fits(file)) {
            ImagenRecipe recipe = ImagenRecipe.read(file);
            return trainOther(recipe.name(), (count, folder) -> recipe.requireSharedBy(count), (folder, line, group, check) ->
                    new ImagenTrainer(recipe, folder, line, group).train(saved -> check.run()));
        }
        if (DalleRecipe.matches(file)) {
            DalleRecipe recipe = DalleRecipe.read(file);
            return trainOther(recipe.name(), recipe::requireSharedBy, (folder, line, group, check) ->
                    new DalleTrainer(recipe, folder, line, group).train(saved -> check.run()));
        }
        if (UnclipRecipe.fits(file)) {
            UnclipRecipe recipe = UnclipRecipe.read(file);
            return trainOther(recipe.name(), (count, folder) -> recipe.requireSharedBy(count), (folder, line, group, check) ->
                    new UnclipTrainer(recipe, folder, line, group).train(saved -> check.run()));
        }
        if (ClipRecipe.matches(file)) {
            ClipRecipe recipe = ClipRecipe.read(file);
            return trainOther(recipe.name(), (count, folder) -> recipe.requireSharedBy(count), (folder, line, group, check) ->
                    new ClipTrainer(recipe, folder, line).train(saved -> check.run()));
        }
        Recipe recipe = Recipe.read(file);
        return train(recipe.name(), (count, folder) -> recipe.requireSharedBy(count), (folder, line, group, check) -> {
            Trainer trainer = new Trainer(recipe, folder, line, group);
            start.forEach(uri -> trainer.start(ModelUri.resolve(uri).path()));
            autoencoder.forEach(uri -> trainer.startWithAutoencoder(ModelUri.resolve(uri).path()));
            return trainer.train(saved -> check.run());
        });
    }

    /** The option that says what a new run begins with, if there is one. */
    private Optional<String> begunWith() {
        return !start.isEmpty() ? Optional.of("--start") : !autoencoder.isEmpty() ? Optional.of("--autoencoder") : Optional.empty();
    }

    /** A training by one process or several, each of which calls it with its place in the group. */
    private interface Training {
        Path train(Path folder, Progress progress, ProcessGroup group, Runnable check);
    }

    /** A training that is not of latent diffusion. */
    private int trainOther(String name, BiConsumer<Integer, Path> sharing, Training training) {
        begunWith().ifPresent(option -> {
            throw new IllegalArgumentException(option + " is for recipes of latent diffusion: " + file + " is of another kind");
        });
        return train(name, sharing, training);
    }

    /** @param sharing throws where a number of processes cannot share the training in a folder */
    private int train(String name, BiConsumer<Integer, Path> sharing, Training training) {
        PrintWriter out = spec.commandLine().getOut(), err = spec.commandLine().getErr();
        Path folder = run.isEmpty() ? Path.of("runs", name) : run.get(0);
        boolean resumes = Files.isDirectory(folder);
        begunWith().filter(option -> resumes).ifPresent(option -> {
            throw new IllegalArgumentException(folder + " is a run that has begun: " + option + " is for a new one, see --run");
        });
        try (var interruption = new Interruption(); Processes all = processes(sharing, folder, interruption::check);
                var progress = new ProgressLine(err, !quiet && all.isFirst() && ProgressLine.onTerminal())) {
            if (!quiet && all.isFirst()) {
                err.println((resumes ? "going on in " : "training in ") + folder);
                err.flush();
            }
            Runnable check = () -> {
                interruption.check();
                all.check();
            };
            Path model;
            try {
                model = training.train(folder, (stage, done, total, loss) -> {
                    check.run();
                    progress.step(stage, done, total, Double.isNaN(loss) ? "" : String.format(Locale.ROOT, "loss %.4f", loss));
                }, all.group(), check);
                all.await();
            } catch (IllegalStateException e) {
                progress.close();
                interruption.check();
                all.checkForAMoment();
                throw e;
            }
            progress.close();
            if (all.isFirst()) {
                out.println(model);
                out.flush();
            }
            return 0;
        }
    }

    private Processes processes(BiConsumer<Integer, Path> sharing, Path folder, Runnable check) {
        if (processes == 1) {
            Processes launched = Processes.of(System.getenv());
            sharing.accept(launched.group().size(), folder);
            return launched;
        }
        if (System.getenv().containsKey("WORLD_SIZE")) {
            throw new IllegalArgumentException("--processes starts processes, and WORLD_SIZE in the environment says that another program "
                    + "has done so: one or the other is wanted");
        }
        sharing.accept(processes, folder);
        List<String> arguments = new ArrayList<>(List.of("train", file.toString(), "--run", folder.toString(), "--quiet"));
        start.forEach(model -> arguments.addAll(List.of("--start", model)));
        autoencoder.forEach(model -> arguments.addAll(List.of("--autoencoder", model)));
        return Processes.start(processes, arguments, check);
    }
}
