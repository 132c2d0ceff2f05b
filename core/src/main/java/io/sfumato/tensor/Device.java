package io.sfumato.tensor;

import java.util.Locale;

/** Where a tensor lives. */
public enum Device {
    CPU("cpu"), CUDA("cuda"), MPS("mps");

    final String code;

    Device(String code) {
        this.code = code;
    }

    /**
     * Reads {@code cpu}, {@code cuda} or {@code mps}.
     *
     * @throws IllegalArgumentException for another name, or a device that this machine or build does not have
     */
    public static Device of(String name) {
        for (Device device : values()) {
            if (device.code.equals(name.toLowerCase(Locale.ROOT))) {
                Engine.require(device);
                return device;
            }
        }
        throw new IllegalArgumentException("unknown device '" + name + "': use cpu, cuda or mps");
    }

    @Override
    public String toString() {
        return code;
    }
}
