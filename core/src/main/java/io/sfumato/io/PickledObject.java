package io.sfumato.io;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An inert stand-in for a Python object: what it was to be made from, never the thing itself. Nothing that a pickle names is looked
 * up or called.
 */
public final class PickledObject {
    private final PickledGlobal type;
    private final List<Object> arguments;
    private final Map<Object, Object> items = new LinkedHashMap<>(0);
    private final List<Object> elements = new ArrayList<>(0);
    private Object state = PickledNone.NONE;

    PickledObject(PickledGlobal type, List<Object> arguments) {
        this.type = type;
        this.arguments = arguments;
    }

    /** The class, or the function that would have made it. */
    public PickledGlobal type() {
        return type;
    }

    /** What the class or function was to be called with. */
    public List<Object> arguments() {
        return Collections.unmodifiableList(arguments);
    }

    /** Its state, usually a map of attributes; {@link PickledNone} where it has none. */
    public Object state() {
        return state;
    }

    /** Its entries, where it is a kind of dict. */
    public Map<Object, Object> items() {
        return Collections.unmodifiableMap(items);
    }

    /** Its elements, where it is a kind of list or set. */
    public List<Object> elements() {
        return Collections.unmodifiableList(elements);
    }

    void setState(Object state) {
        this.state = state;
    }

    void put(Object key, Object value) {
        items.put(key, value);
    }

    void add(Object element) {
        elements.add(element);
    }

    @Override
    public String toString() {
        return "a pickled " + type;
    }
}
