package io.sfumato.io;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Python's pickle machine (protocols 2 to 5), which can build only maps, lists, numbers, strings and bytes. A class or function is
 * its name ({@link PickledGlobal}), and what it would have made is a {@link PickledObject}: nothing in a pickle can run code.
 *
 * <p>Tuples and sets come as lists, {@code OrderedDict} and the like as maps, {@code None} as {@link PickledNone}, numbers as Long,
 * BigInteger or Double. The strings of Python 2, which may be bytes, come with a character for each byte.
 */
final class Pickle {
    /** Objects of one pickle: far more than the largest checkpoint has, few enough for the memory. */
    private static final int MOST_OBJECTS = 2_000_000;
    private static final int BYTES_OF_AN_OBJECT = 64;
    private static final int LONGEST_INTEGER = 1024;
    private static final int NEWEST_PROTOCOL = 5;

    private final PickleInput in;
    private final UnaryOperator<Object> persistent;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();
    private long objects;

    private Pickle(PickleInput in, UnaryOperator<Object> persistent) {
        this.in = in;
        this.persistent = persistent;
    }

    /**
     * Reads one pickle, up to its end.
     *
     * @param persistent what a persistent id stands for
     * @throws CheckpointException naming the byte; the file's name is for the caller to put before it
     */
    static Object read(PickleInput in, UnaryOperator<Object> persistent) {
        Pickle pickle = new Pickle(in, persistent);
        for (int code = in.u8(); code != '.'; code = in.u8()) {
            pickle.step(code);
        }
        return pickle.pop();
    }

    private void step(int code) {
        switch (code) {
            case 0x80 -> protocol(in.u8());
            case 0x95 -> in.number(8);                                                  // a frame: its length is a hint
            case '(' -> marks.add(stack.size());
            case '0' -> pop();
            case '1' -> sinceMark();
            case '2' -> push(top());
            case 'N' -> push(PickledNone.NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'J' -> push((long) (int) in.number(4));
            case 'K' -> push(in.number(1));
            case 'M' -> push(in.number(2));
            case 0x8a -> push(integer(in.number(1)));
            case 0x8b -> push(integer(in.number(4)));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.number(8))));
            case 'X' -> push(in.text(in.number(4)));
            case 0x8c -> push(in.text(in.number(1)));
            case 0x8d -> push(in.text(in.number(8)));
            case 'U' -> push(new String(in.bytes(in.number(1)), StandardCharsets.ISO_8859_1));
            case 'T' -> push(new String(in.bytes(in.number(4)), StandardCharsets.ISO_8859_1));
            case 'B' -> push(in.bytes(in.number(4)));
            case 'C' -> push(in.bytes(in.number(1)));
            case 0x8e, 0x96 -> push(in.bytes(in.number(8)));
            case ']', 0x8f -> push(new ArrayList<>(0));
            case ')' -> push(List.of());
            case '}' -> push(new LinkedHashMap<>(0));
            case 't', 0x91 -> push(Collections.unmodifiableList(sinceMark()));
            case 0x85 -> push(tuple(1));
            case 0x86 -> push(tuple(2));
            case 0x87 -> push(tuple(3));
            case 'l' -> push(sinceMark());
            case 'd' -> putAll(sinceMark(), push(new LinkedHashMap<>(0)));
            case 'a' -> addAll(tuple(1));
            case 'e', 0x90 -> addAll(sinceMark());
            case 's' -> putAll(tuple(2), top());
            case 'u' -> putAll(sinceMark(), top());
            case 'q' -> memo.put(in.number(1), top());
            case 'r' -> memo.put(in.number(4), top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'h' -> push(remembered(in.number(1)));
            case 'j' -> push(remembered(in.number(4)));
            case 'c' -> push(new PickledGlobal(in.line(), in.line()));
            case 0x93 -> push(global(tuple(2)));
            case 'R', 0x81 -> push(made(tuple(2)));
            case 0x92 -> push(made(tuple(3)));                                          // keywords are left out
            case 'b' -> setState(pop());
            case 'Q' -> push(persistent.apply(pop()));
            default -> throw bad(String.format("opcode 0x%02x is none that a checkpoint has; pickles of protocols 2 to 5 are read", code));
        }
    }

    private void protocol(int version) {
        if (version < 2 || version > NEWEST_PROTOCOL) {
            throw bad("pickle protocol " + version + "; 2 to 5 are read");
        }
    }

    // ---- stack ----

    private Object push(Object value) {
        charge(1);
        stack.add(value);
        return value;
    }

    /** Sharing makes a small file stand for much: whatever is built is paid for. */
    private void charge(long count) {
        objects += count;
        if (objects > MOST_OBJECTS) {
            throw bad("it has more than " + MOST_OBJECTS + " objects: no checkpoint does");
        }
    }

    private Object top() {
        if (stack.size() <= floor()) {
            throw bad("its stack is empty where a value is wanted");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        Object value = top();
        stack.remove(stack.size() - 1);
        return value;
    }

    private int floor() {
        return marks.isEmpty() ? 0 : marks.get(marks.size() - 1);
    }

    private List<Object> tuple(int size) {
        if (stack.size() - floor() < size) {
            throw bad("its stack has fewer than the " + size + " values wanted");
        }
        return taken(stack.size() - size);
    }

    private List<Object> sinceMark() {
        if (marks.isEmpty()) {
            throw bad("there is no mark where one is wanted");
        }
        return taken(marks.remove(marks.size() - 1));
    }

    private List<Object> taken(int from) {
        List<Object> tail = stack.subList(from, stack.size());
        List<Object> taken = new ArrayList<>(tail);
        tail.clear();
        return taken;
    }

    private Object remembered(long index) {
        Object value = memo.get(index);
        if (value == null) {
            throw bad("nothing was remembered as number " + index);
        }
        return value;
    }

    // ---- values ----

    private Object integer(long length) {
        if (length > LONGEST_INTEGER) {
            throw bad("an integer of " + length + " bytes, where at most " + LONGEST_INTEGER + " are read");
        }
        byte[] bytes = in.bytes(length);
        for (int i = 0; i < bytes.length / 2; i++) {
            byte b = bytes[i];
            bytes[i] = bytes[bytes.length - 1 - i];
            bytes[bytes.length - 1 - i] = b;
        }
        BigInteger value = bytes.length == 0 ? BigInteger.ZERO : new BigInteger(bytes);
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private PickledGlobal global(List<Object> names) {
        if (names.get(0) instanceof String module && names.get(1) instanceof String name) {
            return new PickledGlobal(module, name);
        }
        throw bad("a global whose names are no strings");
    }

    private void addAll(List<Object> elements) {
        Object target = top();
        if (target instanceof ArrayList<?>) {
            list(target).addAll(elements);
        } else if (target instanceof PickledObject object) {
            elements.forEach(object::add);
        } else {
            throw bad("elements are added to what is no list");
        }
    }

    private void putAll(List<Object> pairs, Object target) {
        if (pairs.size() % 2 != 0 || !(target instanceof Map || target instanceof PickledObject)) {
            throw bad("entries are added to what is no dict, or a key has no value");
        }
        for (int i = 0; i < pairs.size(); i += 2) {
            Object key = key(pairs.get(i));
            if (target instanceof PickledObject object) {
                object.put(key, pairs.get(i + 1));
            } else {
                map(target).put(key, pairs.get(i + 1));
            }
        }
    }

    /** Hashing a container walks all that is in it, which sharing can make endless: as a key it is only itself. */
    private static Object key(Object key) {
        return key instanceof List || key instanceof Map || key instanceof byte[] ? new ContainerKey() : key;
    }

    private static final class ContainerKey {
        @Override
        public String toString() {
            return "a tuple";
        }
    }

    private void setState(Object state) {
        if (top() instanceof PickledObject object) {
            object.setState(state);
        } else if (!(top() instanceof Map)) {                                           // attributes of an OrderedDict say nothing
            throw bad("state is given to what is no object");
        }
    }

    // ---- the few classes and functions that are plain values ----

    private Object made(List<Object> call) {
        if (!(call.get(1) instanceof List<?>)) {
            throw bad("the arguments of a call are no tuple");
        }
        List<Object> arguments = list(call.get(1));
        if (!(call.get(0) instanceof PickledGlobal type)) {
            PickledGlobal maker = call.get(0) instanceof PickledObject object ? object.type() : new PickledGlobal("", "an unnamed function");
            return new PickledObject(maker, arguments);
        }
        return switch (type.module() + "." + type.name()) {
            case "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict", "__builtin__.dict" ->
                    dict(arguments);
            case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset", "builtins.list", "__builtin__.list",
                    "builtins.tuple", "__builtin__.tuple", "torch.Size", "collections.deque" -> copy(arguments);
            case "_codecs.encode", "builtins.bytearray", "__builtin__.bytearray" -> encoded(type, arguments);
            case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar" ->
                    NumpyPickle.scalar(new PickledObject(type, arguments));
            default -> new PickledObject(type, arguments);
        };
    }

    private Map<Object, Object> dict(List<Object> arguments) {
        Map<Object, Object> dict = new LinkedHashMap<>(0);
        for (Object argument : arguments) {
            if (argument instanceof Map<?, ?> entries) {
                charge(entries.size());
                dict.putAll(entries);
            } else if (argument instanceof List<?> pairs) {                             // Python 2 wrote [[key, value], ...]
                charge(pairs.size());
                for (Object pair : pairs) {
                    if (!(pair instanceof List<?> two && two.size() == 2)) {
                        throw bad("a dict is made of what are no pairs");
                    }
                    dict.put(key(two.get(0)), two.get(1));
                }
            }
        }
        return dict;
    }

    private List<Object> copy(List<Object> arguments) {
        if (arguments.isEmpty() || !(arguments.get(0) instanceof List<?> elements)) {
            return new ArrayList<>(0);
        }
        charge(elements.size());
        return new ArrayList<>(elements);
    }

    /** Bytes as protocols below 3 write them: text with a character for each. */
    private Object encoded(PickledGlobal type, List<Object> arguments) {
        if (arguments.isEmpty()) {
            return new byte[0];
        }
        if (arguments.get(0) instanceof byte[]) {
            return arguments.get(0);
        }
        if (!(arguments.get(0) instanceof String text && arguments.size() > 1
                && arguments.get(1) instanceof String code && code.matches("latin-?1"))) {
            return new PickledObject(type, arguments);
        }
        charge(text.length() / BYTES_OF_AN_OBJECT);
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object list) {
        return (List<Object>) list;
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> map(Object map) {
        return (Map<Object, Object>) map;
    }

    private CheckpointException bad(String what) {
        return new CheckpointException("byte " + in.position() + ": " + what);
    }
}
