package io.sfumato.cli;

import picocli.CommandLine.Option;

/** Whether the U-Net multiplies in 8 bits. */
final class EightBitOption {
    @Option(order = 23, names = "--int8",
            description = "multiply in 8 bits in the U-Net's Transformers: faster on the CPU, in less memory, and not as exact")
    private boolean asked;

    boolean asked() {
        return asked;
    }
}
