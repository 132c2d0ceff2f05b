package io.sfumato.tensor;

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
        IValueVector stack = new IValueVector(arguments);
        operator.callBoxed(stack);
        return new IValue(stack.get(0));
    }

    /** What {@link #call} gave, where it is a tensor: the one that toTensor gives lies inside the value that it is asked of. */
    static Tensor tensor(IValue value) {
        return new Tensor(new org.bytedeco.pytorch.Tensor(value.toTensor()));
    }

    /** A list for the argument of {@code operator} at {@code position}, which says what it is a list of. */
    static IValue list(OperatorHandle operator, long position, long... numbers) {
        GenericList list = new GenericList(operator.schema().arguments().getPointer(position).type().get().containedType(0));
        for (long n : numbers) {
            list.push_back(new IValue(n));
        }
        return new IValue(list);
    }
}
