package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardedTensorsTest {
    @TempDir
    Path folder;

    private Path index;

    @BeforeEach
    void writeTwoShards() {
        index = folder.resolve("model.safetensors.index.json");
        try (var scope = new Scope()) {
            SafeTensors.write(folder.resolve("model-1.safetensors"), Map.of("a", Tensor.ones(2), "b", Tensor.of(1, 2, 3)), Map.of());
            SafeTensors.write(folder.resolve("model-2.safetensors"), Map.of("c", Tensor.full(2.5)), Map.of());
        }
    }

    @Test
    void readsEachTensorFromItsShard() throws IOException {
        Files.writeString(index, """
                {"metadata": {"total_size": 36},
                 "weight_map": {"a": "model-1.safetensors", "c": "model-2.safetensors", "b": "model-1.safetensors"}}""");
        long live = Scope.live();
        try (var scope = new Scope(); var tensors = ShardedTensors.open(index)) {
            assertThat(tensors.names()).containsExactly("a", "b", "c");
            assertThat(tensors.get("b").toLongs()).containsExactly(1, 2, 3);
            assertThat(tensors.get("c").item()).isEqualTo(2.5);
            assertThat(tensors.shape("a")).containsExactly(2);
            assertThat(tensors.dtype("b")).isEqualTo(DType.I64);
            assertThat(tensors.description()).isEqualTo(index.toString());
            assertThatThrownBy(() -> tensors.get("d")).isInstanceOf(CheckpointException.class).hasMessage(index + ": there is no tensor 'd'");
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }

    @Test
    void refusesWhatItCannotUse() throws IOException {
        refuses("{}", index + ": no weight_map in this index");
        refuses("[]", index + ": a JSON object is wanted");
        refuses("{\"weight_map\": {\"a\"", index + ": no JSON: ");
        refuses("{\"weight_map\": " + "[".repeat(5000), index + ": no JSON: Document nesting depth");
        refuses("{\"weight_map\": {\"a\": \"model-2.safetensors\"}}",
                folder.resolve("model-2.safetensors") + ": there is no tensor 'a', though the index says so");
        refuses("{\"weight_map\": {\"a\": \"model-3.safetensors\"}}", folder.resolve("model-3.safetensors") + ": there is no such file");
        for (String outside : new String[] {"../model-1.safetensors", "/etc/passwd", "sub/x.safetensors", "C:x", "", "a\\\\b", "\\u0000"}) {
            refuses("{\"weight_map\": {\"a\": \"" + outside + "\"}}", index + ": '");
        }
        refuses("{\"weight_map\": {\"a\": \"..\"}}", folder.resolve("..") + ": a folder, where a safetensors file is wanted");
        Files.delete(index);
        assertThatThrownBy(() -> ShardedTensors.open(index)).isInstanceOf(CheckpointException.class).hasMessage(index + ": there is no such file");
    }

    private void refuses(String json, String message) throws IOException {
        Files.writeString(index, json);
        long live = Scope.live();
        assertThatThrownBy(() -> ShardedTensors.open(index)).as(json).isInstanceOf(CheckpointException.class).hasMessageStartingWith(message)
                .hasMessageNotContaining("\n");
        assertThat(Scope.live()).isLessThanOrEqualTo(live);
    }
}
