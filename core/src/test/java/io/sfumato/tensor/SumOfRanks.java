package io.sfumato.tensor;

/** One process of a group that the environment tells of; prints the sum of ranks counted from 1: run by {@link ProcessGroupTest}. */
final class SumOfRanks {
    private SumOfRanks() {
    }

    public static void main(String[] args) {
        try (ProcessGroup group = ProcessGroup.of(System.getenv()); var scope = new Scope()) {
            System.out.print(group.allReduce(Tensor.full(group.rank() + 1, 1)).item());
        }
    }
}
