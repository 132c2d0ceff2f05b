package io.sfumato.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.io.FileWrite;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a run did, a line of JSON a step, all stages in one file: {@code {"stage": "diffusion", "step": 7, "loss": 0.31, ...}}, steps
 * counted from 0. The same numbers go to a file for TensorBoard, a folder for each stage.
 */
final class StepLog implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String stage;
    private final OutputStream out;
    private final EventFile events;

    /** One line; {@code values} without stage and step. */
    record Line(String stage, long step, Map<String, Double> values) {
        private static Line of(String json) {
            try {
                JsonNode node = JSON.readTree(json);
                Map<String, Double> values = new LinkedHashMap<>();
                node.properties().stream().filter(e -> !List.of("stage", "step").contains(e.getKey()))
                        .forEach(e -> values.put(e.getKey(), Double.valueOf(e.getValue().asText())));
                return new Line(node.get("stage").asText(), node.get("step").asLong(), values);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("no line of a training's log: " + json, e);
            }
        }

        private String json() {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("stage", stage);
            all.put("step", step);
            all.putAll(values);
            return JSON.valueToTree(all).toString();
        }
    }

    /** Goes on at step {@code from} of a stage: what an interrupted run wrote after its last checkpoint is taken back. */
    StepLog(Run run, String stage, long from) {
        this.stage = stage;
        Path file = file(run.folder());
        FileWrite.whole(file, read(run.folder()).stream().filter(line -> !line.stage.equals(stage) || line.step < from)
                .map(line -> line.json() + "\n").collect(Collectors.joining()));
        try {
            out = Files.newOutputStream(file, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
        events = new EventFile(run.file("tensorboard").resolve(stage), from, Clock.systemUTC());
    }

    private static Path file(Path run) {
        return run.resolve("log.jsonl");
    }

    /** The lines of a run's log; one that was torn off at the end is left out. */
    static List<Line> read(Path run) {
        if (!Files.exists(file(run))) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(file(run))) {
            return lines.filter(line -> line.endsWith("}")).map(Line::of).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(file(run) + ": cannot be read: " + e.getMessage(), e);
        }
    }

    void add(long step, Map<String, Double> values) {
        try {
            out.write((new Line(stage, step, values).json() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("the log of a training cannot be written: " + e.getMessage(), e);
        }
        events.add(step, values);
    }

    @Override
    public void close() {
        events.close();
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the log of a training cannot be written: " + e.getMessage(), e);
        }
    }
}
