package io.sfumato.training.world;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.scenes.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A noun of the world: its words, its pictures (the plainest first) and what is known of it. */
record Kind(String noun, String plural, List<String> synonyms, List<ClipArt.Entry> looks) {
    private static final List<Colour> BRIGHT = List.of(Colour.RED, Colour.ORANGE, Colour.YELLOW, Colour.GREEN, Colour.BLUE, Colour.PURPLE,
            Colour.PINK);
    private static final List<Colour> MUTED = List.of(Colour.BROWN, Colour.GREY, Colour.WHITE);
    private static final List<Colour> FUR = List.of(Colour.ORANGE, Colour.BROWN, Colour.GREY, Colour.WHITE, Colour.BLACK, Colour.PINK,
            Colour.BLUE);
    private static final List<Colour> FOOD = List.of(Colour.RED, Colour.ORANGE, Colour.YELLOW, Colour.GREEN, Colour.PURPLE, Colour.PINK);
    private static final Set<String> PAINTED = Set.of("vehicle", "building", "clothing", "furniture", "container", "electronics",
            "kitchen");
    private static final Set<String> HOLDERS = Set.of("container", "building", "kitchen");
    private static final Set<String> BEARERS = Set.of("furniture", "container", "building", "vehicle", "mammal", "object", "food");

    boolean counted() {
        return !plural.equals(ClipArt.Entry.UNCOUNTED);
    }

    /** Whether other things may be shown inside it. */
    boolean holds() {
        return looks.get(0).categories().stream().anyMatch(HOLDERS::contains);
    }

    /** Whether other things may stand on it. */
    boolean bears() {
        return looks.get(0).categories().stream().anyMatch(BEARERS::contains);
    }

    boolean flies() {
        return looks.get(0).anchors().get(0).equals("sky");
    }

    /** The colour words that a look may take: its own single one, and others where a part of it can be painted. */
    static List<Colour> colours(ClipArt.Entry look) {
        Set<Colour> colours = new TreeSet<>();
        if (look.colours().size() == 1) {
            colours.addAll(own(look));
        }
        if (look.part() != Part.NONE) {
            List<String> categories = look.categories();
            if (categories.contains("mammal")) {
                colours.addAll(FUR);
            } else {
                colours.addAll(categories.contains("food") && !categories.contains("kitchen") ? FOOD : BRIGHT);
            }
            if (categories.stream().anyMatch(PAINTED::contains)) {
                colours.addAll(MUTED);
            }
        }
        return List.copyOf(colours);
    }

    /** The colours that a look has unpainted. */
    static List<Colour> own(ClipArt.Entry look) {
        return Arrays.stream(Colour.values()).filter(c -> look.colours().contains(c.word())).toList();
    }

    /** "a cat", "an apple", "an hourglass"; a noun that is not counted stands alone. */
    static String withArticle(String phrase, boolean counted) {
        boolean vowel = "aeiouAEIOU".indexOf(phrase.charAt(0)) >= 0 || phrase.startsWith("hour") || phrase.startsWith("8");
        return counted ? (vowel ? "an " : "a ") + phrase : phrase;
    }

    /** A phrase such as "cup of coffee" in the plural. */
    static String plural(String synonym) {
        int of = synonym.indexOf(" of ");
        if (of > 0) {
            return plural(synonym.substring(0, of)) + synonym.substring(of);
        }
        if (synonym.endsWith("man")) {
            return synonym.substring(0, synonym.length() - 3) + "men";
        }
        boolean hisses = synonym.matches(".*(s|x|ch|sh)");
        return synonym.matches(".*[^aeiou]y") ? synonym.substring(0, synonym.length() - 1) + "ies" : synonym + (hisses ? "es" : "s");
    }

    /** The kinds of an index, in the order of their first pictures, with at most {@code looks} pictures each; all words if none given. */
    static List<Kind> of(List<ClipArt.Entry> index, List<String> nouns, int looks) {
        List<String> all = index.stream().map(ClipArt.Entry::noun).distinct().toList();
        List<String> chosen = nouns.isEmpty() ? all : nouns;
        List<Kind> kinds = new ArrayList<>();
        for (String noun : chosen) {
            List<ClipArt.Entry> entries = index.stream().filter(e -> e.noun().equals(noun)).limit(looks).toList();
            if (entries.isEmpty()) {
                throw new IllegalArgumentException("No noun '" + noun + "' in the world; they are " + String.join(", ", all));
            }
            List<String> synonyms = entries.stream().flatMap(e -> e.synonyms().stream()).distinct()
                    .filter(s -> !chosen.contains(s) && owners(index, chosen, s) == 1).toList();
            kinds.add(new Kind(noun, entries.get(0).plural(), synonyms, entries));
        }
        return List.copyOf(kinds);
    }

    /** How many of the chosen nouns a synonym may mean: one that is shared names nothing. */
    private static long owners(List<ClipArt.Entry> index, List<String> chosen, String synonym) {
        return index.stream().filter(e -> chosen.contains(e.noun()) && e.synonyms().contains(synonym)).map(ClipArt.Entry::noun)
                .distinct().count();
    }
}
