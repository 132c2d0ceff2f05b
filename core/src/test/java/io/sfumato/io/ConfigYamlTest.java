package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigYamlTest {
    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("model.yaml"), text);
    }

    @Test
    void readsWhatPythonWrites() throws IOException {
        ConfigJson dd = ConfigYaml.read(file("model:\n  params:\n    ddconfig:\n      double_z: False\n      ch_mult: [1, 2]\n"
                + "      attn_resolutions:\n      - 16\n")).child("model").child("params").child("ddconfig");
        assertThat(dd.flag("double_z", true)).isFalse();
        assertThat(dd.integers("ch_mult")).containsExactly(1, 2);
        assertThat(dd.integers("attn_resolutions")).containsExactly(16);
    }

    @Test
    void badFilesAreNamed() throws IOException {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ConfigYaml.read(folder.resolve("none.yaml")))
                .withMessageEndingWith("none.yaml: there is no such file");
        Path list = file("- 1\n- 2\n");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ConfigYaml.read(list))
                .withMessageEndingWith("model.yaml: a YAML file of keys is wanted");
        Path broken = file("a: [1, 2\nb: 3");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ConfigYaml.read(broken))
                .withMessageContaining("model.yaml: no YAML: ").withMessageNotContaining("\n");
    }
}
