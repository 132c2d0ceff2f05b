package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ConfigJsonTest {
    private final ConfigJson json = json("{\"inner\": {\"depth\": 3, \"places\": [], \"sizes\": [4, 5]}, \"flat\": 7}");

    private static ConfigJson json(String text) {
        try {
            return new ConfigJson("file", new ObjectMapper().readTree(text));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    @Test
    void objectsInside() {
        assertThat(json.child("inner").integer("depth")).isEqualTo(3);
        assertThat(json.child("missing").integer("depth", 9)).isEqualTo(9);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> json.child("flat"))
                .withMessage("file: key 'flat' is 7, where an object is wanted");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> json.child("missing").integer("depth"))
                .withMessage("file: missing: key 'depth' is , where a whole number is wanted");
    }

    @Test
    void wholeNumbersAreBounded() {
        assertThat(json("{\"layers\": 16777216}").integer("layers", 0)).isEqualTo(1 << 24);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> json("{\"layers\": -2147483648}").integer("layers", 0))
                .withMessage("file: key 'layers' is -2147483648, where a whole number of at most 16777216 is wanted");
    }

    @Test
    void listsThatMayBeEmpty() {
        assertThat(json.child("inner").integersOrNone("places")).isEmpty();
        assertThat(json.child("inner").integersOrNone("missing")).isEmpty();
        assertThat(json.child("inner").integersOrNone("sizes")).containsExactly(4, 5);
    }
}
