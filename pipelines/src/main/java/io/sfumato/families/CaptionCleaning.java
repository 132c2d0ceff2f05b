package io.sfumato.families;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * DeepFloyd IF's cleaning of captions from the web, which its models were trained on and whose prompts it cleans likewise, twice: no
 * links, tags, file names, ideographs, or words of shops; plain quotes and dashes; lower case.
 */
final class CaptionCleaning {
    private static final String LINK = "\\b((?:%s:(?:/{1,3}|[a-zA-Z0-9%%])|[a-zA-Z0-9.\\-]+[.](?:com|co|ru|net|org|edu|gov|it)"
            + "[\\w/-]*\\b/?(?!@)))";
    private static final String FILES = "(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)";
    private static final List<UnaryOperator<String>> RULES = new ArrayList<>();
    private static final Map<String, String> ENTITIES = Map.ofEntries(Map.entry("amp", "&"), Map.entry("lt", "<"), Map.entry("gt", ">"),
            Map.entry("quot", "\""), Map.entry("apos", "'"), Map.entry("nbsp", "\u00a0"), Map.entry("copy", "©"), Map.entry("reg", "®"),
            Map.entry("trade", "™"), Map.entry("hellip", "…"), Map.entry("mdash", "—"), Map.entry("ndash", "–"), Map.entry("lsquo", "‘"),
            Map.entry("rsquo", "’"), Map.entry("ldquo", "“"), Map.entry("rdquo", "”"), Map.entry("laquo", "«"), Map.entry("raquo", "»"),
            Map.entry("eacute", "é"), Map.entry("egrave", "è"), Map.entry("agrave", "à"), Map.entry("ouml", "ö"), Map.entry("auml", "ä"),
            Map.entry("uuml", "ü"), Map.entry("szlig", "ß"), Map.entry("ccedil", "ç"), Map.entry("ntilde", "ñ"), Map.entry("deg", "°"),
            Map.entry("frac12", "½"), Map.entry("times", "×"), Map.entry("euro", "€"), Map.entry("pound", "£"));
    private static final Pattern ENTITY = Pattern.compile("&(?:#(\\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]*));?");
    /** What ftfy makes plain, character by character: ligatures, curled quotes, full-width forms. */
    private static final Pattern WIDE = Pattern.compile("[\\uff01-\\uff5e\\u3000]");
    private static final Map<String, String> LIGATURES = Map.of("ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "ſt", "ﬆ", "st",
            "ĳ", "ij", "ŉ", "ʼn");

    static {
        replace("<person>", "person");
        replace(LINK.formatted("https?"), "");
        replace(LINK.formatted("www"), "");
        RULES.add(CaptionCleaning::withoutTags);
        replace("@[\\w\\d]+\\b", "");
        replace("[\\u31c0-\\u31ef\\u31f0-\\u31ff\\u3200-\\u32ff\\u3300-\\u33ff\\u3400-\\u4dbf\\u4dc0-\\u4dff\\u4e00-\\u9fff]+", "");
        replace("[\\u002D\\u058A\\u05BE\\u1400\\u1806\\u2010-\\u2015\\u2E17\\u2E1A\\u2E3A\\u2E3B\\u2E40\\u301C\\u3030\\u30A0\\uFE31\\uFE32"
                + "\\uFE58\\uFE63\\uFF0D]+", "-");
        replace("[`´«»“”¨]", "\"");
        replace("[‘’]", "'");
        replace("&quot;?", "");
        replace("&amp", "");
        replace("\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}", " ");
        replace("\\d:\\d\\d\\s+$", "");
        replace("\\\\n", " ");
        replace("#\\d{1,3}\\b", "");
        replace("#\\d{5,}\\b", "");
        replace("\\b\\d{6,}\\b", "");
        replace("\\S+\\." + FILES, "");
        replace("[\"']{2,}", "\"");
        replace("\\.{2,}", " ");
        replace("[#®•©™&@·º½¾¿¡§~)(\\]\\[}{|\\\\/*]{1,}", " ");
        replace("\\s+\\.\\s+", " ");
        RULES.add(text -> text.chars().filter(c -> c == '-' || c == '_').count() > 3 ? text.replaceAll("[-_]", " ") : text);
        RULES.add(CaptionCleaning::plain);
        RULES.add(text -> unescaped(unescaped(text)));
        replace("\\b[a-zA-Z]{1,3}\\d{3,15}\\b", "");
        replace("\\b[a-zA-Z]+\\d+[a-zA-Z]+\\b", "");
        replace("\\b\\d+[a-zA-Z]+\\d+\\b", "");
        replace("(worldwide\\s+)?(free\\s+)?shipping", "");
        replace("(free\\s)?download(\\sfree)?", "");
        replace("\\bclick\\b\\s(?:for|on)\\s\\w+", "");
        replace("\\b" + FILES + "(\\simage[s]?)?", "");
        replace("\\bpage\\s+\\d+\\b", "");
        replace("\\b\\d*[a-zA-Z]+\\d+[a-zA-Z]+\\d+[a-zA-Z\\d]*\\b", " ");
        replace("\\b\\d+\\.?\\d*[xх×]\\d+\\.?\\d*\\b", "");
        replace("\\b\\s+:\\s+", ": ");
        replace("(\\D[,\\./])\\b", "$1 ");
        replace("\\s+", " ");
        replace("^[\"']([\\w\\W]+)[\"']$", "$1");
        replace("^['_,\\-:;]", "");
        replace("['_,\\-:+]$", "");
        replace("^\\.\\S+$", "");
    }

    private CaptionCleaning() {
    }

    private static void replace(String pattern, String replacement) {
        Pattern compiled = Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS);
        RULES.add(text -> compiled.matcher(text).replaceAll(replacement));
    }

    static String clean(String caption) {
        return once(once(caption));
    }

    private static String once(String caption) {
        String text = unquoted(caption).strip().toLowerCase(Locale.ROOT);
        for (UnaryOperator<String> rule : RULES) {
            text = rule.apply(text);
        }
        return text.strip();
    }

    /** Plus signs are spaces and %xx are bytes of UTF-8; a stray percent sign stays. */
    private static String unquoted(String text) {
        String sound = text.replaceAll("%(?![0-9a-fA-F]{2})", "%25");
        return URLDecoder.decode(sound, StandardCharsets.UTF_8);
    }

    private static String withoutTags(String text) {
        return unescaped(text.replaceAll("(?s)<!--.*?-->|</?[a-zA-Z][^>]*>|<![^>]*>|<\\?[^>]*>", ""));
    }

    private static String unescaped(String text) {
        return ENTITY.matcher(text).replaceAll(match -> Matcher.quoteReplacement(character(match.group(), match.group(1), match.group(2),
                match.group(3))));
    }

    private static String character(String whole, String decimal, String hexadecimal, String name) {
        if (name != null) {
            return ENTITIES.getOrDefault(name, whole);
        }
        int code = decimal != null ? Integer.parseInt(decimal) : Integer.parseInt(hexadecimal, 16);
        return Character.isValidCodePoint(code) && code > 0 ? Character.toString(code) : whole;
    }

    private static String plain(String text) {
        String wide = WIDE.matcher(text).replaceAll(match -> {
            char c = match.group().charAt(0);
            return Matcher.quoteReplacement(c == '\u3000' ? " " : Character.toString(c - 0xfee0));
        });
        for (var ligature : LIGATURES.entrySet()) {
            wide = wide.replace(ligature.getKey(), ligature.getValue());
        }
        String straight = wide.replaceAll("[‘’‚‛]", "'").replaceAll("[“”„‟]", "\"").replaceAll("\r\n?|[\u2028\u2029\u0085]", "\n")
                .replaceAll("[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f\\ufeff\\u206a-\\u206f\\ufff9-\\ufffc]", "");
        return Normalizer.normalize(straight, Normalizer.Form.NFC);
    }
}
