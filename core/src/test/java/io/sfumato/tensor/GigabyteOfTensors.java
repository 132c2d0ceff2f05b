package io.sfumato.tensor;

/** Holds four tensors of 256 MiB at once and prints their number of elements: run by {@link EngineTest}. */
final class GigabyteOfTensors {
    private GigabyteOfTensors() {
    }

    public static void main(String[] args) {
        try (var scope = new Scope()) {
            Tensor[] quarters = new Tensor[4];
            for (int i = 0; i < quarters.length; i++) {
                quarters[i] = Tensor.zeros(DType.U8, 1 << 28).add(1).to(DType.U8);
            }
            long numel = 0;
            for (Tensor quarter : quarters) {
                numel += quarter.numel();
            }
            System.out.println(numel / 4);
        }
    }
}
