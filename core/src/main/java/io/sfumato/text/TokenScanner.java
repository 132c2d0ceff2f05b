package io.sfumato.text;

import java.util.Comparator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Cuts a text at the added tokens in it, the longest first where several begin at the same place. */
final class TokenScanner {
    private static final Pattern WORD_CHARACTER = Pattern.compile("\\w", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern NOTHING = Pattern.compile("(?!)");

    private final Map<String, Entry> entries;                            // by the spelling to look for
    private final Pattern pattern;

    /** A token and its id in the vocabulary. */
    record Entry(AddedToken token, int id) { }

    TokenScanner(Map<String, Entry> entries) {
        this.entries = Map.copyOf(entries);
        this.pattern = entries.isEmpty() ? NOTHING : Pattern.compile(entries.keySet().stream()
                .sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote).collect(Collectors.joining("|")));
    }

    /** Hands out, in order, the ids of the added tokens and the texts between them; none of these is empty. */
    void scan(String text, Consumer<String> between, IntConsumer id) {
        var match = pattern.matcher(text);
        int done = 0;
        while (match.find()) {
            Entry entry = entries.get(match.group());
            int start = match.start();
            int end = match.end();
            if (entry.token().singleWord() && touchesWord(text, start, end)) {
                continue;
            }
            while (entry.token().lstrip() && start > done && ClipWords.isSpace(text.charAt(start - 1))) {
                start--;
            }
            while (entry.token().rstrip() && end < text.length() && ClipWords.isSpace(text.charAt(end))) {
                end++;
            }
            if (start > done) {
                between.accept(text.substring(done, start));
            }
            id.accept(entry.id());
            done = end;
        }
        if (done < text.length()) {
            between.accept(text.substring(done));
        }
    }

    private static boolean touchesWord(String text, int start, int end) {
        return start > 0 && isWordCharacter(text.codePointBefore(start)) || end < text.length() && isWordCharacter(text.codePointAt(end));
    }

    private static boolean isWordCharacter(int c) {
        return WORD_CHARACTER.matcher(Character.toString(c)).matches();
    }
}
