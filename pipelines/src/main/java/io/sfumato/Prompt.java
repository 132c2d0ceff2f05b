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
 * @param turn     where the image embedding is turned to, for models that draw from one
 */
public record Prompt(String text, String negative, Map<Role, Image> pictures, Turn turn) {
    /** What a given picture is for. */
    public enum Role {
        /** The picture to begin with: to draw over, edit or enlarge. */
        INIT("an init picture"),
        /** White where the init picture is to be drawn anew; of its size. */
        MASK("a mask"),
        /** Near places light, far ones dark. */
        DEPTH("a depth map"),
        /** A picture whose contents are to be drawn again: for models that see pictures as CLIP does. */
        LIKE("a picture to vary"),
        /** The picture that a {@link Turn} leads to. */
        TOWARD("a picture to end at");

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
        if (pictures.containsKey(Role.TOWARD) != (turn.kind() == Turn.Kind.PICTURE)) {
            throw new IllegalArgumentException("a turn to a picture comes with one, and no other does");
        }
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
        return new Prompt(text, "", Map.of(), Turn.none());
    }

    public Prompt withText(String text) {
        return new Prompt(text, negative, pictures, turn);
    }

    public Prompt withNegative(String negative) {
        return new Prompt(text, negative, pictures, turn);
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
        return with(role, picture, turn);
    }

    private Prompt with(Role role, Image picture, Turn turn) {
        Map<Role, Image> more = new EnumMap<>(Role.class);
        more.putAll(pictures);
        more.put(role, picture);
        return new Prompt(text, negative, more, turn);
    }

    /** A share, 0 to 1, of the way from what this draws to a picture. */
    public Prompt toward(Image picture, double share) {
        return with(Role.TOWARD, picture, new Turn(Turn.Kind.PICTURE, "", "", share));
    }

    /** A share, 0 to 1, of the way from what this draws to what another text would. */
    public Prompt toward(String text, double share) {
        return turned(new Turn(Turn.Kind.TEXT, "", text, share));
    }

    /**
     * What this draws, turned a share, 0 to 1, of the way to the direction that leads from one text to another, as from
     * {@code "a photo of a cat"} to {@code "an anime drawing of a cat"}. Ramesh et al. turn up to a share of 0.25 to 0.5.
     */
    public Prompt along(String from, String to, double share) {
        return turned(new Turn(Turn.Kind.DIFFERENCE, from, to, share));
    }

    /** Another share of the way that it goes. */
    public Prompt at(double share) {
        return new Prompt(text, negative, pictures, turn.at(share));
    }

    /** The same without its turn. */
    public Prompt still() {
        return turned(Turn.none());
    }

    private Prompt turned(Turn turn) {
        Map<Role, Image> others = new EnumMap<>(Role.class);
        others.putAll(pictures);
        others.remove(Role.TOWARD);
        return new Prompt(text, negative, others, turn);
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
        if (turn.kind() != Turn.Kind.NONE) {
            throw new IllegalArgumentException("this model draws from no image embedding that could be turned; Karlo and Kandinsky do");
        }
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
            if (prompt.turn.kind() != prompts.get(0).turn.kind()) {
                throw new IllegalArgumentException("all prompts of a batch are turned to the same kind of thing: one to "
                        + prompts.get(0).turn.kind() + ", one to " + prompt.turn.kind());
            }
        }
    }

    private static String list(Set<Role> roles) {
        List<Role> sorted = roles.stream().sorted().toList();
        return sorted.isEmpty() ? "a text alone" : "a text with " + sorted.stream().map(Role::toString).collect(Collectors.joining(", "));
    }
}
