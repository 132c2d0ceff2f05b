package io.sfumato;

import io.sfumato.image.Image;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What to draw, what not to, and the pictures to draw it from.
 *
 * <pre>{@code
 * model.generate(Prompt.of("a castle").withInit(Image.read(sketch)), Options.defaults().withStrength(0.6));
 * }</pre>
 *
 * @param text     the prompt; empty is allowed
 * @param negative what guidance leads away from; empty for none
 * @param pictures by what they are for; mostly none
 */
public record Prompt(String text, String negative, Map<Role, Image> pictures) {
    /** What a given picture is for. */
    public enum Role {
        /** The picture to begin with: to draw over, edit or enlarge. */
        INIT("an init picture"),
        /** White where the init picture is to be drawn anew; of its size. */
        MASK("a mask"),
        /** Near places light, far ones dark. */
        DEPTH("a depth map"),
        /** A picture whose contents are to be drawn again: for models that see pictures as CLIP does. */
        LIKE("a picture to vary");

        private final String words;

        Role(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    public Prompt {
        pictures = Map.copyOf(pictures);
        if (pictures.containsKey(Role.MASK)) {
            Image mask = pictures.get(Role.MASK), init = pictures.get(Role.INIT);
            if (!pictures.containsKey(Role.INIT)) {
                throw new IllegalArgumentException("a mask says where to draw an init picture anew, and there is no init picture");
            }
            if (mask.width() != init.width() || mask.height() != init.height()) {
                throw new IllegalArgumentException("the mask is " + mask.width() + "x" + mask.height() + ", where the init picture's "
                        + init.width() + "x" + init.height() + " is wanted");
            }
        }
    }

    public static Prompt of(String text) {
        return new Prompt(text, "", Map.of());
    }

    public Prompt withText(String text) {
        return new Prompt(text, negative, pictures);
    }

    public Prompt withNegative(String negative) {
        return new Prompt(text, negative, pictures);
    }

    /** Draws over {@code picture}. */
    public Prompt withInit(Image picture) {
        return with(Role.INIT, picture);
    }

    /** Draws over the init picture only where {@code mask} is white; it has the picture's size. */
    public Prompt withMask(Image mask) {
        return with(Role.MASK, mask);
    }

    public Prompt with(Role role, Image picture) {
        Map<Role, Image> more = new EnumMap<>(Role.class);
        more.putAll(pictures);
        more.put(role, picture);
        return new Prompt(text, negative, more);
    }

    public boolean has(Role role) {
        return pictures.containsKey(role);
    }

    /** The picture for {@code role}, which the prompt must have. */
    public Image picture(Role role) {
        if (!has(role)) {
            throw new IllegalArgumentException("the prompt has no " + role.words.substring(role.words.indexOf(' ') + 1));
        }
        return pictures.get(role);
    }

    /**
     * For models to say what they draw from.
     *
     * @throws IllegalArgumentException if a picture is given that is not in {@code takes}, or one in {@code needs} is not given
     */
    public void require(Set<Role> takes, Set<Role> needs) {
        for (Role role : Role.values()) {
            if (has(role) && !takes.contains(role)) {
                throw new IllegalArgumentException("this model does not take " + role + "; it takes " + list(takes));
            }
            if (needs.contains(role) && !has(role)) {
                throw new IllegalArgumentException("this model needs " + role + "; it takes " + list(takes));
            }
        }
    }

    /** @throws IllegalArgumentException unless all come with the same kinds of pictures: one batch is drawn in one way */
    public static void requireAlike(List<Prompt> prompts) {
        Set<Role> first = prompts.get(0).pictures.keySet();
        for (Prompt prompt : prompts) {
            if (!prompt.pictures.keySet().equals(first)) {
                throw new IllegalArgumentException("all prompts of a batch come with the same kinds of pictures: one has " + first
                        + ", one " + prompt.pictures.keySet());
            }
        }
    }

    private static String list(Set<Role> roles) {
        List<Role> sorted = roles.stream().sorted().toList();
        return sorted.isEmpty() ? "a text alone" : "a text with " + sorted.stream().map(Role::toString).collect(Collectors.joining(", "));
    }
}
