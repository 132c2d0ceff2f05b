package io.sfumato.training.world;

import io.sfumato.training.world.Scene.Group;
import io.sfumato.training.world.Scene.Related;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Writes captions. Each names all groups with their counts and colours, and the relations it was told to say. */
final class Captions {
    private static final double RENAMED = 0.2;
    private static final double OTHER_NUMBERS = 0.2;

    private final Split split;
    private final SplittableRandom random;

    /** @param split which words and sentences may be used */
    Captions(Split split, SplittableRandom random) {
        this.split = split;
        this.random = random;
    }

    /** A group with what its noun may be called. */
    record Named(Group group, Kind kind) {
        /** Whether its verb is in the plural; uncounted nouns such as scissors may be. */
        boolean many() {
            boolean pairs = !kind.counted() && kind.noun().endsWith("s") && Character.isLowerCase(kind.noun().charAt(0));
            return group.count() > 1 || pairs;
        }
    }

    /** One sentence about groups, of which at most one relation is told. */
    String sentence(List<Named> groups, List<Related> said, List<String> places, Style style) {
        boolean bare = !style.phrases().isEmpty();
        String text = bare ? pick(style.phrases()).replace("%s", told(groups, said, true)) : told(groups, said, false);
        text = places.isEmpty() ? text : text + " " + pick(places);
        return random.nextInt(8) == 0 ? Character.toUpperCase(text.charAt(0)) + text.substring(1) + "." : text;
    }

    /** What there is; {@code bare} without words that belong before a style's. */
    private String told(List<Named> groups, List<Related> said, boolean bare) {
        List<String> phrases = phrases(groups);
        if (!said.isEmpty()) {
            Related told = said.get(0);
            List<String> templates = Phrasings.TWO.get(told.relation());
            String text = filled(bare ? templates.get(0) : pick(templates), groups, phrases, told.subject(), told.object());
            List<String> others = IntStream.range(0, groups.size()).filter(i -> i != told.subject() && i != told.object())
                    .mapToObj(phrases::get).toList();
            return others.isEmpty() ? text : text + ", with " + joined(others);
        }
        if (groups.size() == 2) {
            return filled(bare ? Phrasings.BOTH.get(0) : pick(Phrasings.BOTH), groups, phrases, 0, 1);
        }
        String all = joined(phrases);
        return bare ? all : verbs(pick(Phrasings.ONE), groups.size() > 1 || groups.get(0).many()).replace("%1$s", all);
    }

    private static String joined(List<String> phrases) {
        int last = phrases.size() - 1;
        return last == 0 ? phrases.get(0) : String.join(", ", phrases.subList(0, last)) + " and " + phrases.get(last);
    }

    /** Several sentences, as of someone who tells what there is to see, in the manner of Localized Narratives. */
    String narration(List<Named> groups, List<Related> said, List<String> places, Style style) {
        List<String> phrases = phrases(groups);
        List<String> sentences = new ArrayList<>();
        sentences.add(filled(pick(Phrasings.OPENINGS), groups, phrases, said.isEmpty() ? 0 : said.get(0).object(), 0));
        int first = said.isEmpty() ? 0 : said.get(0).object();
        for (int i = 0; i < groups.size(); i++) {
            if (!said.isEmpty() && i == said.get(0).subject()) {
                Named other = groups.get(first);
                String known = other.kind().counted() ? "the " + (other.group().count() > 1 ? other.kind().plural() : other.kind().noun())
                        : other.kind().noun();
                sentences.add(verbs(pick(Phrasings.SECONDS.get(said.get(0).relation())), groups.get(i).many())
                        .replace("%1$s", phrases.get(i)).replace("%2$s", known));
            } else if (i != first) {
                sentences.add(filled(pick(Phrasings.ADDITIONS), groups, phrases, i, i));
            }
        }
        if (!style.phrases().isEmpty()) {
            sentences.add("It is " + style.phrases().get(0).replace(" of %s", "") + ".");
        }
        if (!places.isEmpty()) {
            sentences.add(pick(Phrasings.BACKDROPS).replace("%1$s", pick(places)));
        }
        return String.join(" ", sentences);
    }

    private static String filled(String template, List<Named> groups, List<String> phrases, int one, int two) {
        return verbs(template, groups.get(one).many())
                .replace("%1$s", phrases.get(one)).replace("%2$s", phrases.get(two));
    }

    private static String verbs(String template, boolean many) {
        return template.replace("{is}", many ? "are" : "is");
    }

    private List<String> phrases(List<Named> groups) {
        int renamed = random.nextInt(groups.size());
        List<String> phrases = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            phrases.add(phrase(groups.get(i), i == renamed));
        }
        return phrases;
    }

    /** Such as "two small red apples"; {@code mayRename} where an unseen synonym is wanted once. */
    private String phrase(Named named, boolean mayRename) {
        Group group = named.group();
        List<String> words = new ArrayList<>();
        if (!group.size().words().isEmpty()) {
            words.add(group.size().words().get(random.nextInt(group.size().words().size())));
        }
        if (group.hasColour()) {
            words.add(group.colour());
        }
        words.add(noun(named, mayRename));
        String text = String.join(" ", words);
        if (group.count() == 1) {
            return Kind.withArticle(text, named.kind().counted());
        }
        List<String> numbers = Phrasings.NUMBERS.get(group.count());
        return (random.nextDouble() < OTHER_NUMBERS ? numbers.get(random.nextInt(numbers.size())) : numbers.get(0)) + " " + text;
    }

    private String noun(Named named, boolean mayRename) {
        boolean many = named.group().count() > 1;
        Kind kind = named.kind();
        boolean unseen = split == Split.UNSEEN_SYNONYMS;
        List<String> synonyms = kind.counted() ? kind.synonyms() : List.of();
        List<String> names = synonyms.stream().filter(s -> Split.keepsBackSynonym(s) == unseen).toList();
        if (!names.isEmpty() && (unseen || mayRename && random.nextDouble() < RENAMED)) {
            String name = names.get(random.nextInt(names.size()));
            return many ? Kind.plural(name) : name;
        }
        return many ? kind.plural() : kind.noun();
    }

    /** One of those that this split may use: for {@link Split#UNSEEN_PHRASINGS} the ones kept back, where there are any. */
    private String pick(List<String> templates) {
        List<String> kept = templates.stream().skip(1).filter(Split::keepsBackPhrasing).toList();
        if (split == Split.UNSEEN_PHRASINGS && !kept.isEmpty()) {
            return kept.get(random.nextInt(kept.size()));
        }
        List<String> seen = templates.stream().filter(t -> !kept.contains(t)).toList();
        return seen.get(random.nextInt(3) == 0 ? 0 : random.nextInt(seen.size()));
    }
}
