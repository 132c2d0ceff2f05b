package io.sfumato.io;

/** The name of a Python class, function or constant: a name and nothing more, whatever it meant where the pickle was made. */
public record PickledGlobal(String module, String name) {
    @Override
    public String toString() {
        return SafeTensorsHeader.shown(module + "." + name);
    }
}
