package io.sfumato.io;

import io.sfumato.io.TorchFile.Storage;
import io.sfumato.tensor.DType;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The tensors of an unpickled tree under the names of a state dict: {@code a.b} is entry b of entry a, whether these are dicts, lists
 * or modules saved whole. What would be a tensor but cannot be built is kept with the reason, for whoever asks for it.
 *
 * @param tensors by name
 * @param refused reasons by name, to follow the name
 */
record StateDict(Map<String, StoredTensor> tensors, Map<String, String> refused) {
    /** Where trainers put the weights; the first that is there is taken. */
    private static final List<String> WRAPPERS = List.of("state_dict", "model_state_dict", "model", "module", "params_ema", "params");
    private static final int MOST_TENSORS = 100_000;
    private static final int MOST_VISITS = 2_000_000;
    private static final int DEEPEST = 100;
    private static final int LONGEST_NAME = 1000;
    private static final String UTILS = "torch._utils.";
    private static final Map<String, String> REFUSED = Map.of(
            "_rebuild_sparse_tensor", "is sparse", "_rebuild_sparse_csr_tensor", "is sparse", "_rebuild_qtensor", "is quantised",
            "_rebuild_nested_tensor", "is nested", "_rebuild_meta_tensor_no_storage", "has no data: it was on device meta");

    /** Finds the tensors below {@code root}; {@code data} gives the bytes of a storage. */
    static StateDict of(Object root, Function<Storage, StoredTensor.Data> data) {
        Walk walk = new Walk(data, new StateDict(new TreeMap<>(), new TreeMap<>()));
        if (walk.isTensor(root)) {
            walk.add("tensor", root);
            return walk.found;
        }
        if (root instanceof Map<?, ?> map) {
            for (String wrapper : WRAPPERS) {
                if (map.containsKey(wrapper) && !walk.isTensor(map.get(wrapper))) {
                    walk.visit(wrapper, "", map.get(wrapper), 0);
                    if (!walk.found.tensors.isEmpty() || !walk.found.refused.isEmpty()) {
                        return walk.found;
                    }
                }
            }
        }
        walk.visit("", "", root, 0);
        return walk.found;
    }

    private static final class Walk {
        private final Function<Storage, StoredTensor.Data> data;
        private final StateDict found;
        private final Set<Object> path = Collections.newSetFromMap(new IdentityHashMap<>());
        private int visits;

        Walk(Function<Storage, StoredTensor.Data> data, StateDict found) {
            this.data = data;
            this.found = found;
        }

        /** Adds what lies at {@code name}; {@code prefix} is the name with its dot, or nothing at the root. */
        void visit(String name, String prefix, Object node, int depth) {
            if (++visits > MOST_VISITS || depth > DEEPEST || name.length() > LONGEST_NAME || found.tensors.size() > MOST_TENSORS) {
                throw new CheckpointException("'" + SafeTensorsHeader.shown(name) + "': nested deeper or wider than any checkpoint");
            }
            if (isTensor(node)) {
                add(name, node);
            } else if (path.add(node)) {                                                // an object may lie within itself
                if (node instanceof Map<?, ?> map) {
                    map.forEach((key, value) -> child(prefix, key, value, depth));
                } else if (node instanceof List<?> list) {
                    for (int i = 0; i < list.size(); i++) {
                        child(prefix, i, list.get(i), depth);
                    }
                } else if (node instanceof PickledObject object) {
                    object(name, prefix, object, depth);
                }
                path.remove(node);
            }
        }

        /** A module's state dict is in three of its attributes; of other objects all attributes are looked through. */
        private void object(String name, String prefix, PickledObject object, int depth) {
            Map<?, ?> attributes = attributes(object.state());
            if (attributes.containsKey("_modules")) {
                Object passing = attributes.get("_non_persistent_buffers_set");
                members(attributes.get("_parameters")).forEach((key, value) -> child(prefix, key, value, depth));
                members(attributes.get("_buffers")).forEach((key, value) -> {
                    if (!(passing instanceof List<?> names && names.contains(key))) {
                        child(prefix, key, value, depth);
                    }
                });
                visit(name, prefix, attributes.get("_modules"), depth + 1);
            } else {
                attributes.forEach((key, value) -> child(prefix, key, value, depth));
            }
            object.items().forEach((key, value) -> child(prefix, key, value, depth));
        }

        private static Map<?, ?> members(Object members) {
            return members instanceof Map<?, ?> map ? map : Map.of();
        }

        private void child(String prefix, Object key, Object value, int depth) {
            if (!(value instanceof String || value instanceof Number || value instanceof PickledNone)) {
                visit(prefix + key, prefix + key + ".", value, depth + 1);
            }
        }

        private void add(String name, Object node) {
            try {
                found.tensors.put(name, tensor(node, 0));
            } catch (UnreadableTensor e) {
                found.refused.put(name, e.getMessage());
            } catch (CheckpointException e) {
                throw new CheckpointException("tensor '" + SafeTensorsHeader.shown(name) + "' " + e.getMessage());
            }
        }

        /** Whether it is a tensor or something that stands for one: built from a storage or from another tensor. */
        boolean isTensor(Object node) {
            return node instanceof StoredTensor || node instanceof PickledObject object && (NumpyPickle.isArray(object)
                    || object.type().toString().startsWith(UTILS + "_rebuild_") || object.arguments().stream().limit(8).anyMatch(
                            argument -> argument instanceof Storage || argument instanceof StoredTensor
                                    || argument instanceof PickledObject o && o.type().toString().startsWith(UTILS + "_rebuild_"))
                    || object.type().toString().equals("torch._tensor._rebuild_from_type_v2"));
        }

        private StoredTensor tensor(Object node, int depth) {
            if (node instanceof StoredTensor tensor) {
                return tensor;
            }
            if (!(node instanceof PickledObject object) || depth > DEEPEST) {
                throw new UnreadableTensor("is made from " + shown(node) + ", which is no tensor");
            }
            if (NumpyPickle.isArray(object)) {
                return NumpyPickle.array(object);
            }
            List<Object> a = object.arguments();
            String maker = object.type().toString();
            return switch (maker.startsWith(UTILS) ? maker.substring(UTILS.length()) : maker) {
                case "_rebuild_tensor" -> view(a, 4, DType.U8);
                case "_rebuild_tensor_v2" -> view(plain(a, 6), 6, DType.U8);
                case "_rebuild_tensor_v3" -> view(plain(a, 7), 7, a.size() > 6 && a.get(6) instanceof PickledGlobal dtype
                        ? dtype(dtype, dtype.name()) : DType.U8);
                case "_rebuild_parameter", "_rebuild_parameter_with_state", "_rebuild_device_tensor_from_numpy",
                        "_rebuild_device_tensor_from_cpu_tensor", "_rebuild_xla_tensor" -> tensor(argument(a, 0), depth + 1);
                case "torch._tensor._rebuild_from_type_v2" -> {                         // (function, class, arguments, state)
                    if (!(argument(a, 0) instanceof PickledGlobal function && argument(a, 2) instanceof List<?> arguments)) {
                        throw new CheckpointException("is not made as PyTorch makes tensors of other classes");
                    }
                    yield tensor(new PickledObject(function, List.copyOf(arguments)), depth + 1);
                }
                default -> throw refusal(object.type());
            };
        }

        private static UnreadableTensor refusal(PickledGlobal maker) {
            String why = maker.module().equals("torch._utils") ? REFUSED.get(maker.name()) : null;
            return new UnreadableTensor(why == null ? "is made by " + maker + ", which is not known to be safe: save a plain state dict"
                    : why + ": a dense tensor is wanted");
        }

        /** (storage, offset, shape, strides, ...). */
        private StoredTensor view(List<Object> a, int count, DType untyped) {
            if (a.size() < count || !(a.get(1) instanceof Long offset)) {
                throw new CheckpointException("has " + a.size() + " parts, where " + count + " are wanted");
            }
            if (!(a.get(0) instanceof Storage storage)) {
                throw new UnreadableTensor("is a view of " + shown(a.get(0)) + ", which is no storage");
            }
            DType dtype = storage.elements().equals("Untyped") ? untyped : dtype(storage.type(), storage.elements());
            return new StoredTensor(dtype, StoredTensor.longs(a.get(2), "shape"), StoredTensor.longs(a.get(3), "strides"),
                    offset + storage.offset(), data.apply(storage));
        }

        /** The same, if nothing is still to be done with the numbers. */
        private static List<Object> plain(List<Object> a, int metadata) {
            if (a.size() > metadata && a.get(metadata) instanceof Map<?, ?> flags && flags.containsValue(true)) {
                throw new UnreadableTensor("is conjugated or negated only when read: save a plain copy");
            }
            return a;
        }

        private static Object argument(List<Object> a, int index) {
            return index < a.size() ? a.get(index) : PickledNone.NONE;
        }
    }

    /** A state may be (attributes, slots). */
    private static Map<?, ?> attributes(Object state) {
        return state instanceof Map<?, ?> map ? map
                : state instanceof List<?> pair && !pair.isEmpty() && pair.get(0) instanceof Map<?, ?> map ? map : Map.of();
    }

    private static DType dtype(PickledGlobal global, String name) {
        boolean torch = global.module().matches("torch|torch\\.cuda|torch\\.storage");
        return switch (torch ? name : "") {
            case "Double", "float64" -> DType.F64;
            case "Float", "float32" -> DType.F32;
            case "Half", "float16" -> DType.F16;
            case "BFloat16", "bfloat16" -> DType.BF16;
            case "float8_e4m3fn" -> DType.F8_E4M3;
            case "float8_e5m2" -> DType.F8_E5M2;
            case "float8_e4m3fnuz" -> DType.F8_E4M3FNUZ;
            case "float8_e5m2fnuz" -> DType.F8_E5M2FNUZ;
            case "float8_e8m0fnu" -> DType.F8_E8M0;
            case "ComplexFloat", "complex64" -> DType.C64;
            case "Long", "int64" -> DType.I64;
            case "Int", "int32" -> DType.I32;
            case "Short", "int16" -> DType.I16;
            case "Char", "int8" -> DType.I8;
            case "uint64" -> DType.U64;
            case "uint32" -> DType.U32;
            case "uint16" -> DType.U16;
            case "Byte", "uint8" -> DType.U8;
            case "Bool", "bool" -> DType.BOOL;
            default -> throw new UnreadableTensor("is of type " + global + ", which is not read");
        };
    }

    private static String shown(Object node) {
        return node instanceof PickledObject object ? object.type().toString()
                : node instanceof PickledGlobal global ? global.toString() : "a " + node.getClass().getSimpleName();
    }
}
