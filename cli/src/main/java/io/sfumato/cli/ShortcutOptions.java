package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.Shortcuts;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** What may be left out for speed. */
final class ShortcutOptions {
    private final Changes<Shortcuts> changes = new Changes<>();

    @Option(order = 70, names = "--guidance-start", paramLabel = "F",
            description = "0 to 1: share of the steps before the first one that is guided (0); the others cost half")
    private void guidanceStart(double share) {
        changes.add(s -> s.withGuidanceStart(share));
    }

    @Option(order = 71, names = "--guidance-stop", paramLabel = "F",
            description = "0 to 1: share of the steps after which none is guided (1)")
    private void guidanceStop(double share) {
        changes.add(s -> s.withGuidanceStop(share));
    }

    @Option(order = 72, names = "--deep-cache", paramLabel = "N",
            description = "compute the whole U-Net at every N-th step only, and its shallowest blocks at the others (1)")
    private void deepCache(int interval) {
        changes.add(s -> s.withDeepCache(interval));
    }

    @Option(order = 73, names = "--token-merging", paramLabel = "F",
            description = "0 to 0.75: share of the places that attend merged with ones like them, where the picture is largest (0)")
    private void tokenMerging(double share) {
        changes.add(s -> s.withTokenMerging(share));
    }

    Options change(Options o) {
        return o.withShortcuts(changes.to(o.shortcuts()));
    }

    /** What A1111 and its kin store of it, or would. */
    static Map<String, String> settings(Shortcuts s) {
        Map<String, String> settings = new LinkedHashMap<>();
        if (s.guidanceStart() > 0) {
            settings.put("Skip Early CFG", Generate.number(s.guidanceStart()));
        }
        if (s.guidanceStop() < 1) {
            settings.put("Guidance stop", Generate.number(s.guidanceStop()));
        }
        if (s.deepCache() > 1) {
            settings.put("Deep cache", String.valueOf(s.deepCache()));
        }
        if (s.tokenMerging() > 0) {
            settings.put("Token merging ratio", Generate.number(s.tokenMerging()));
        }
        return settings;
    }
}
