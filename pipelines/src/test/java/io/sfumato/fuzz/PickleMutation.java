package io.sfumato.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Spoils a pickle by its opcodes, so that most of what comes is still a pickle. */
final class PickleMutation {
    /** Bytes of an opcode's argument; below 0, the bytes of the length that stands before it. */
    private static final Map<Integer, Integer> ARGUMENTS = Map.ofEntries(Map.entry(0x80, 1), Map.entry(0x95, 8), Map.entry((int) 'J', 4),
            Map.entry((int) 'K', 1), Map.entry((int) 'M', 2), Map.entry((int) 'G', 8), Map.entry((int) 'q', 1), Map.entry((int) 'r', 4),
            Map.entry((int) 'h', 1), Map.entry((int) 'j', 4), Map.entry(0x8a, -1), Map.entry(0x8b, -4), Map.entry((int) 'X', -4),
            Map.entry(0x8c, -1), Map.entry(0x8d, -8), Map.entry((int) 'U', -1), Map.entry((int) 'T', -4), Map.entry((int) 'B', -4),
            Map.entry((int) 'C', -1), Map.entry(0x8e, -8), Map.entry(0x96, -8));
    private static final String SIMPLE = "(012N]})tldaesubRQ.\u0088\u0089\u0081\u0085\u0086\u0087\u008f\u0090\u0091\u0092\u0093\u0094";
    private static final List<String> GLOBALS = List.of("torch._utils\n_rebuild_tensor_v2\n", "torch._utils\n_rebuild_tensor_v3\n",
            "torch._utils\n_rebuild_parameter\n", "torch._tensor\n_rebuild_from_type_v2\n", "collections\nOrderedDict\n",
            "torch\nFloatStorage\n", "torch.storage\nUntypedStorage\n", "torch\nBoolStorage\n", "torch\nQInt8Storage\n",
            "numpy.core.multiarray\n_reconstruct\n", "numpy.core.multiarray\nscalar\n", "numpy\ndtype\n",
            "numpy.core.numeric\n_frombuffer\n", "_codecs\nencode\n", "builtins\nset\n", "builtins\neval\n", "torch\nfloat16\n", "torch\nSize\n");

    private final Mutation mutation;

    PickleMutation(Mutation mutation) {
        this.mutation = mutation;
    }

    byte[] apply(byte[] pickle) {
        List<byte[]> codes = codes(pickle);
        for (int i = 1 + mutation.random().nextInt(4); i > 0 && !codes.isEmpty(); i--) {
            int at = mutation.random().nextInt(codes.size());
            switch (mutation.random().nextInt(8)) {
                case 0 -> codes.remove(at);
                case 1 -> codes.add(at, mutation.one(codes));
                case 2 -> codes.set(at, mutation.one(codes));
                case 3, 4 -> codes.set(at, spoilt(codes.get(at)));
                case 5 -> codes.add(at, new byte[] {(byte) SIMPLE.charAt(mutation.random().nextInt(SIMPLE.length()))});
                case 6 -> codes.add(at, ("c" + mutation.one(GLOBALS)).getBytes(StandardCharsets.ISO_8859_1));
                default -> codes.add(at, ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0x8a).put((byte) 8)
                        .putLong(mutation.number()).array());
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        codes.forEach(out::writeBytes);
        return out.toByteArray();
    }

    /** An opcode whose argument or name is another. */
    private byte[] spoilt(byte[] code) {
        byte[] other = code.clone();
        if (code.length == 5 && ARGUMENTS.getOrDefault(code[0] & 0xff, 0) > 0) {
            ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN).putInt(1, (int) mutation.number());
        } else if (code.length > 1) {
            int at = 1 + mutation.random().nextInt(code.length - 1);
            other[at] = mutation.random().nextBoolean() ? (byte) mutation.random().nextInt() : code[code.length - 1];
        }
        return other;
    }

    private static List<byte[]> codes(byte[] pickle) {
        List<byte[]> codes = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < pickle.length;) {
            int end = Math.min(pickle.length, at + 1 + argument(in, at));
            codes.add(Arrays.copyOfRange(pickle, at, end));
            at = end;
        }
        return codes;
    }

    private static int argument(ByteBuffer in, int at) {
        int code = in.get(at) & 0xff;
        int bytes = ARGUMENTS.getOrDefault(code, 0);
        if (code == 'c') {
            int end = at;
            for (int lines = 0; lines < 2 && ++end < in.limit();) {
                lines += in.get(end) == '\n' ? 1 : 0;
            }
            return end - at;
        }
        if (bytes >= 0 || at - bytes >= in.limit()) {
            return Math.max(0, bytes);
        }
        int length = bytes == -1 ? in.get(at + 1) & 0xff : in.getInt(at + 1);
        return -bytes + length;
    }
}
