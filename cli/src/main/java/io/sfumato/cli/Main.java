package io.sfumato.cli;

import io.sfumato.Cancelled;
import io.sfumato.tensor.Engine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code sfumato}. Exit codes: 0 done, 1 something found in a file or while running, 2 a wrong option, 130 interrupted. */
@Command(name = "sfumato", mixinStandardHelpOptions = true, versionProvider = Main.Version.class,
        description = "Pictures from text.", synopsisSubcommandLabel = "COMMAND",
        subcommands = {Generate.class, Inspect.class, Models.class, Train.class, Evaluate.class, Data.class, Tokens.class, Grow.class,
                Doctor.class, Completion.class},
        footer = {"", "Example:", "  sfumato generate \"a red apple left of a blue house\" --seed 7 --output apple.png"})
public final class Main implements Runnable {
    static final int FAILED = 1;
    static final int MISUSED = 2;
    static final int INTERRUPTED = 130;

    @Option(names = "--debug", order = 100, scope = ScopeType.INHERIT, description = "show the stack trace of an error")
    private boolean debug;

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command with its rules for errors: one line each. */
    static CommandLine commandLine() {
        Main main = new Main();
        return new CommandLine(main)
                // A prompt may begin with an @.
                .setExpandAtFiles(false)
                .setUsageHelpWidth(110)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(Main::run)
                .setParameterExceptionHandler((e, args) -> main.report(e.getCommandLine(), e, reason(e), MISUSED))
                .setExecutionExceptionHandler((e, command, parsed) -> main.report(command, e, Engine.firstLine(e),
                        e instanceof Cancelled ? INTERRUPTED : FAILED));
    }

    /** Runs the command; a heap that is too small is a user's error like another. */
    private static int run(ParseResult parsed) {
        try {
            return new RunLast().execute(parsed);
        } catch (OutOfMemoryError e) {
            long heap = Runtime.getRuntime().maxMemory() >> 20;
            CommandLine command = parsed.commandSpec().commandLine();
            throw new ExecutionException(command, e.getMessage(), new IllegalStateException("out of memory (" + e.getMessage()
                    + "): Java may use " + heap + " MiB; SFUMATO_JAVA_OPTS=-Xmx" + 2 * heap + "m in the environment gives it more", e));
        }
    }

    /** Takes what an option object refuses for a wrong use of the command. */
    static <T> T checked(CommandSpec spec, Supplier<T> options) {
        try {
            return options.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    static String version() {
        try (InputStream in = Main.class.getResourceAsStream("version.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int report(CommandLine command, Exception e, String reason, int code) {
        boolean bare = e.getMessage() == null;
        command.getErr().println("sfumato: " + (bare
                ? "internal error: " + e.getClass().getSimpleName() + " (--debug shows where)" : reason));
        if (debug) {
            e.printStackTrace(command.getErr());
        }
        command.getErr().flush();
        return code;
    }

    private static String reason(ParameterException e) {
        String reason = Engine.firstLine(e);
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> near = unmatched.getSuggestions();
            return reason + (near.isEmpty() ? ""
                    : "; did you mean " + String.join(" or ", near.subList(0, Math.min(3, near.size()))) + "?");
        }
        return reason;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: " + String.join(", ", spec.subcommands().keySet()));
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"sfumato " + version()};
        }
    }
}
