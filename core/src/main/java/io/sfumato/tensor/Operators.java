package io.sfumato.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;

/** Operators that libtorch offers by their names alone, through its dispatcher. */
final class Operators {
    private Operators() {
    }

    static OperatorHandle find(String name) {
        return find(name, "");
    }

    static OperatorHandle find(String name, String overload) {
        Engine.load();
        return Dispatcher.singleton().findSchemaOrThrow(name, overload).retainReference();
    }

    /** The only result of {@code operator}. */
    static IValue call(OperatorHandle operator, IValue... arguments) {
        return new IValue(run(operator, arguments).get(0));
    }

    /** What {@code operator} leaves on the stack: its results. */
    static IValueVector run(OperatorHandle operator, IValue... arguments) {
        IValueVector stack = new IValueVector(arguments);
        operator.callBoxed(stack);
        return stack;
    }

    /** What {@link #call} gave, where it is a tensor: the one that toTensor gives lies inside the value that it is asked of. */
    static Tensor tensor(IValue value) {
        return new Tensor(new org.bytedeco.pytorch.Tensor(value.toTensor()));
    }

    /** A list for the argument of {@code operator} at {@code position}, which says what it is a list of. */
    static IValue list(OperatorHandle operator, long position, long... numbers) {
        return list(operator, position, Arrays.stream(numbers).mapToObj(IValue::new));
    }

    static IValue list(OperatorHandle operator, long position, List<Tensor> tensors) {
        return list(operator, position, tensors.stream().map(x -> new IValue(x.raw())));
    }

    private static IValue list(OperatorHandle operator, long position, Stream<IValue> values) {
        GenericList list = new GenericList(operator.schema().arguments().getPointer(position).type().get().containedType(0));
        values.forEach(list::push_back);
        return new IValue(list);
    }
}
