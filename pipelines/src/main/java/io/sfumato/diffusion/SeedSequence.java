package io.sfumato.diffusion;

import java.util.ArrayList;
import java.util.List;

/** NumPy's SeedSequence (O'Neill's seed_seq_fe): spreads a seed and a place in a tree over 32-bit states. */
final class SeedSequence {
    private static final int INIT_A = 0x43b0d7e5;
    private static final int MULT_A = 0x931e8875;
    private static final int INIT_B = 0x8b51f9dd;
    private static final int MULT_B = 0x58f38ded;
    private static final int MIX_L = 0xca01f9dd;
    private static final int MIX_R = 0x4973f715;
    private static final int SHIFT = 16;

    private final int[] pool;
    private int constant = INIT_A;

    SeedSequence(int size, long entropy, long... spawnKey) {
        List<Integer> words = new ArrayList<>(words(entropy));
        while (spawnKey.length > 0 && words.size() < size) {
            words.add(0);
        }
        for (long key : spawnKey) {
            words.addAll(words(key));
        }
        pool = new int[size];
        for (int i = 0; i < size; i++) {
            pool[i] = hashed(i < words.size() ? words.get(i) : 0);
        }
        for (int source = 0; source < size; source++) {
            for (int i = 0; i < size; i++) {
                if (i != source) {
                    pool[i] = mixed(pool[i], hashed(pool[source]));
                }
            }
        }
        for (int source = size; source < words.size(); source++) {
            for (int i = 0; i < size; i++) {
                pool[i] = mixed(pool[i], hashed(words.get(source)));
            }
        }
    }

    /** The low word first, as many as the number takes. */
    private static List<Integer> words(long value) {
        return value >>> Integer.SIZE == 0 ? List.of((int) value) : List.of((int) value, (int) (value >>> Integer.SIZE));
    }

    private int hashed(int value) {
        int x = value ^ constant;
        constant *= MULT_A;
        x *= constant;
        return x ^ x >>> SHIFT;
    }

    private static int mixed(int x, int y) {
        int mixed = MIX_L * x - MIX_R * y;
        return mixed ^ mixed >>> SHIFT;
    }

    /** The first {@code n} states, unsigned. */
    long[] state(int n) {
        long[] state = new long[n];
        int hash = INIT_B;
        for (int i = 0; i < n; i++) {
            int x = pool[i % pool.length] ^ hash;
            hash *= MULT_B;
            x *= hash;
            state[i] = Integer.toUnsignedLong(x ^ x >>> SHIFT);
        }
        return state;
    }
}
