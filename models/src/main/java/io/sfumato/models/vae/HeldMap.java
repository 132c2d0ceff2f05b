package io.sfumato.models.vae;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * A feature map (1, C, H, W) that is held whole, channels last. A large one is held in float16, divided by 64
 * so that no map of an autoencoder is too great for it: 11 bits of each number are kept.
 */
final class HeldMap implements AutoCloseable {
    private static final double SCALE = 64;

    private final Tensor x;
    private final DType type;
    private final StripMap.Limits limits;
    private final boolean half;

    private HeldMap(StripMap map, DType type) {
        this.type = type;
        limits = map.limits();
        half = type == DType.F32 && map.channels() * map.height() * map.width() * type.bytes() >= limits.map();
        // In a scope of its own: the tensor as it is laid out would otherwise hold the numbers as long as the caller's scope.
        try (var scope = new Scope()) {
            x = Tensor.zeros(half ? DType.F16 : type, 1, map.height(), map.width(), map.channels()).permute(0, 3, 1, 2).retain();
        }
    }

    /** Computes {@code map}, whose numbers are of {@code type}. */
    static HeldMap of(StripMap map, DType type) {
        HeldMap held = new HeldMap(map, type);
        try {
            held.become(map);
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /** Takes on the numbers of {@code map}, which may be computed from this one by {@link StripMap#into}'s rule. */
    void become(StripMap map) {
        (half ? map.after(map.channels(), 0, rows -> rows.mul(1 / SCALE)) : map).into(x);
    }

    StripMap map() {
        StripMap map = StripMap.of(x, limits);
        return half ? map.after(map.channels(), 0, rows -> rows.to(type).mul(SCALE)) : map;
    }

    Tensor whole() {
        return map().rows().of(0, x.size(2));
    }

    @Override
    public void close() {
        x.close();
    }
}
