package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.tensor.ProcessGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunTest {
    @TempDir
    Path temp;

    private Path file(String name) throws IOException {
        Path file = temp.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "half of it");
    }

    /** Names as {@code FileWrite} and {@code SafeTensors} give them to what is not whole yet. */
    @Test
    void removesWhatAKilledProcessLeftOfItsFiles() throws IOException {
        Path text = file("run/.diffusion.csv." + UUID.randomUUID() + ".part"), tensors = file("run/diffusion.safetensors.part");
        Path deep = file("run/model/unet/diffusion_pytorch_model.safetensors.part");
        Path whole = file("run/diffusion.csv"), notes = file("run/notes.part"), other = file("run2/diffusion.safetensors.part");
        Run.in(temp.resolve("run"), (stage, done, total, loss) -> { }, ProcessGroup.alone());
        assertThat(text).doesNotExist();
        assertThat(tensors).doesNotExist();
        assertThat(deep).doesNotExist();
        assertThat(whole).exists();
        assertThat(notes).exists();
        assertThat(other).exists();
    }
}
