package io.sfumato.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a picture was made, as the text that A1111 and its kin store under {@link ImageFile#PARAMETERS}: the prompt; a part that begins
 * with "Negative prompt: "; one last line of settings, "Steps: 20, Sampler: Euler a, ...". A value with a comma, colon or line break
 * is written as a JSON string. A setting's key is a letter, digit or underscore, then at least one of those, space, '-' or '/'.
 *
 * <p>{@code parse(p.format())} gives p again if p has at least 3 settings (fewer are read as prompt: the format's own rule), no line
 * of its prompts begins with "Negative prompt:", and no line of them has spaces at its ends, nor is one empty at the start or end.
 */
public record GenerationParameters(String prompt, String negativePrompt, Map<String, String> settings) {
    private static final String NEGATIVE = "Negative prompt:";
    private static final int FEWEST_SETTINGS = 3;
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    public GenerationParameters {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        for (String key : settings.keySet()) {
            if (!isKey(key)) {
                throw new IllegalArgumentException("'" + key + "' is no key of a setting: at least 2 letters, digits, '_', ' ', '-' or '/'"
                    + " expected, the first a letter, digit or '_'");
            }
        }
    }

    /** The parameters stored in a picture file; empty if it has none. */
    public static Optional<GenerationParameters> of(ImageFile file) {
        return Optional.ofNullable(file.text().get(ImageFile.PARAMETERS)).map(GenerationParameters::parse);
    }

    /** The text to store. */
    public String format() {
        var line = new ArrayList<String>();
        settings.forEach((key, value) -> line.add(key + ": " + quote(value)));
        String negative = negativePrompt.isEmpty() ? "" : "\n" + NEGATIVE + " " + negativePrompt;
        return (prompt + negative + "\n" + String.join(", ", line)).strip();
    }

    /** Reads any text: what does not look like settings is prompt. */
    public static GenerationParameters parse(String text) {
        var lines = new ArrayList<>(List.of(text.strip().split("\n", -1)));
        var settings = new LinkedHashMap<String, String>();
        if (parseSettings(lines.get(lines.size() - 1), settings) >= FEWEST_SETTINGS) {
            lines.remove(lines.size() - 1);
        } else {
            settings.clear();
        }
        var prompt = new StringBuilder();
        var negative = new StringBuilder();
        var part = prompt;
        for (String line : lines) {
            String rest = line.strip();
            if (rest.startsWith(NEGATIVE)) {
                part = negative;
                rest = rest.substring(NEGATIVE.length()).strip();
            }
            part.append(part.isEmpty() ? "" : "\n").append(rest);
        }
        return new GenerationParameters(prompt.toString(), negative.toString(), settings);
    }

    /**
     * The dictionary that A1111's own parser makes of the text: "Prompt", "Negative prompt", the settings, those of the form WxH split
     * into "KEY-1" and "KEY-2", and A1111's defaults where an older version left a setting out.
     */
    public Map<String, String> fields() {
        var fields = new LinkedHashMap<String, String>();
        fields.put("Prompt", prompt);
        fields.put("Negative prompt", negativePrompt);
        settings.forEach((key, value) -> {
            if (value.matches("[0-9]+x[0-9]+")) {
                fields.put(key + "-1", value.substring(0, value.indexOf('x')));
                fields.put(key + "-2", value.substring(value.indexOf('x') + 1));
            } else {
                fields.put(key, value);
            }
        });
        fields.putIfAbsent("Clip skip", "1");
        fields.putIfAbsent("Hires resize-1", "0");
        fields.putIfAbsent("Hires resize-2", "0");
        fields.putIfAbsent("RNG", "GPU");
        fields.putIfAbsent("Schedule type", "Automatic");
        return fields;
    }

    /** Puts the settings of a line into {@code settings} and counts them; by hand, since long values overflow a regex's stack. */
    private static int parseSettings(String line, Map<String, String> settings) {
        int count = 0;
        int at = 0;
        while (at < line.length()) {
            int end = keyEnd(line, at);
            if (end == line.length() || line.charAt(end) != ':' || end - at < 2 || !isWord(line.charAt(at))) {
                at = isWord(line.charAt(at)) ? Math.max(end, at + 1) : at + 1;
                continue;
            }
            int from = end + 1;
            while (from < line.length() && Character.isWhitespace(line.charAt(from))) {
                from++;
            }
            int to = valueEnd(line, from);
            settings.put(line.substring(at, end), unquote(line.substring(from, to)));
            count++;
            at = to + 1;
        }
        return count;
    }

    private static int keyEnd(String line, int at) {
        while (at < line.length() && (isWord(line.charAt(at)) || " -/".indexOf(line.charAt(at)) >= 0)) {
            at++;
        }
        return at;
    }

    private static boolean isKey(String key) {
        return key.length() >= 2 && isWord(key.charAt(0)) && keyEnd(key, 0) == key.length();
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    /** Where the value that begins at {@code from} ends: behind its closing quote if a comma or the end follows, else at a comma. */
    private static int valueEnd(String line, int from) {
        if (from < line.length() && line.charAt(from) == '"') {
            int at = from + 1;
            while (at < line.length() && line.charAt(at) != '"') {
                at += line.charAt(at) == '\\' ? 2 : 1;
            }
            if (at < line.length() && at > from + 1 && (at + 1 == line.length() || line.charAt(at + 1) == ',')) {
                return at + 1;
            }
        }
        int comma = line.indexOf(',', from);
        return comma < 0 ? line.length() : comma;
    }

    /** A1111 quotes for commas, colons and line breaks; quotes and outer spaces need it too, or reading would change the value. */
    private static String quote(String value) {
        boolean plain = value.equals(value.strip()) && !value.startsWith("\"")
            && value.chars().noneMatch(c -> c == ',' || c == ':' || c < ' ');
        if (plain) {
            return value;
        }
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new AssertionError("every string has a JSON form", e);
        }
    }

    private static String unquote(String value) {
        if (!value.startsWith("\"") || !value.endsWith("\"")) {
            return value;
        }
        try {
            return JSON.readValue(value, String.class);
        } catch (JsonProcessingException e) {
            return value;                                                  // quotes that are no JSON string belong to the value
        }
    }
}
