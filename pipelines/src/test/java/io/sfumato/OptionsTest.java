package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.List;
import org.junit.jupiter.api.Test;

class OptionsTest {
    @Test
    void aWitherChangesItsComponentAlone() throws ReflectiveOperationException {
        for (RecordComponent changed : Options.class.getRecordComponents()) {
            String name = changed.getName();
            if (name.equals("width") || name.equals("height")) {
                continue;
            }
            Object value = changed.getType() == int.class ? (Object) 5 : changed.getType() == long.class ? (Object) 5L
                    : changed.getType() == double.class ? (Object) 1.0 : changed.getType() == String.class ? "Euler"
                    : changed.getType() == List.class ? List.of(5L)
                    : changed.getType() == Picking.class ? Picking.defaults().withTopK(5)
                    : changed.getType() == Shortcuts.class ? Shortcuts.none().withGuidanceStop(0.5)
                    : changed.getType() == Unclip.class ? Unclip.defaults().withPriorSteps(5) : changed.getType().getEnumConstants()[1];
            Method wither = Options.class.getMethod("with" + name.substring(0, 1).toUpperCase() + name.substring(1), changed.getType());
            Options o = (Options) wither.invoke(Options.defaults(), value);
            for (RecordComponent each : Options.class.getRecordComponents()) {
                assertThat(each.getAccessor().invoke(o)).as(name + ": " + each.getName())
                        .isEqualTo(each.getName().equals(name) ? value : each.getAccessor().invoke(Options.defaults()));
            }
        }
        Options o = Options.defaults().withSize(16, 24);
        assertThat(o.width()).isEqualTo(16);
        assertThat(o.height()).isEqualTo(24);
    }
}
