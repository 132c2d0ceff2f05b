package io.sfumato.training;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Keeps the numbers of a stage's steps: its curve and the run's log in the process that writes, nothing in others. */
interface Journal extends AutoCloseable {
    void add(long step, Map<String, Double> values);

    @Override
    void close();

    /** Goes on at step {@code from}; the curve has {@code columns} of the values. */
    static Journal of(Run run, String stage, long from, List<String> columns) {
        return run.isFirst() ? writing(run, stage, from, columns) : new Journal() {
            @Override
            public void add(long step, Map<String, Double> values) {
            }

            @Override
            public void close() {
            }
        };
    }

    private static Journal writing(Run run, String stage, long from, List<String> columns) {
        Curve curve = new Curve(run.file(stage + ".csv"), from, Stream.concat(Stream.of("step"), columns.stream()).toArray(String[]::new));
        StepLog log = new StepLog(run, stage, from);
        return new Journal() {
            @Override
            public void add(long step, Map<String, Double> values) {
                curve.add(step, columns.stream().mapToDouble(values::get).toArray());
                log.add(step, values);
            }

            @Override
            public void close() {
                curve.close();
                log.close();
            }
        };
    }
}
