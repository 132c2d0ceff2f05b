package io.sfumato;

import io.sfumato.diffusion.Samplers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;

/**
 * Pictures that are drawn together: of one size and sampler and all else alike, each with its own prompt and seed.
 *
 * @param options of the whole batch
 * @param places  where its pictures belong among all that are wanted, from 0
 */
public record Batch(List<Prompt> prompts, Options options, List<Integer> places) {
    /** What the pictures of a batch have in common. */
    private record Kind(Options options, Set<Prompt.Role> pictures, Turn.Kind turn) {
    }

    private record Picture(Prompt prompt, long seed, int place) {
    }

    /**
     * Wishes as the fewest batches that fit. A picture is the one that it would be alone, so those whose sampler looks at the whole batch
     * are drawn alone, and those that share one generator stay together.
     *
     * @param fits whether {@code options.count()} pictures of a kind can be drawn at once; one always is
     * @throws IllegalArgumentException for a wish that {@code model} cannot fulfil
     */
    public static List<Batch> plan(TextToImage model, List<Wish> wishes, BiPredicate<Prompt, Options> fits) {
        List<Batch> batches = new ArrayList<>();
        Map<Kind, List<Picture>> alike = new LinkedHashMap<>();
        int place = 0;
        for (Wish wish : wishes) {
            Options o = model.complete(wish.prompt(), wish.options());
            if (o.seeds() == Options.Seeds.SHARED) {
                batches.add(new Batch(List.of(wish.prompt()), o, IntStream.range(place, place + o.count()).boxed().toList()));
            } else {
                Kind kind = new Kind(o.withSeed(0).withPictureSeeds(List.of()).withCount(1), wish.prompt().pictures().keySet(),
                        wish.prompt().turn().kind());
                for (int i = 0; i < o.count(); i++) {
                    alike.computeIfAbsent(kind, k -> new ArrayList<>()).add(new Picture(wish.prompt(), o.seedOf(i), place + i));
                }
            }
            place += o.count();
        }
        alike.forEach((kind, pictures) -> {
            int most = most(kind.options, pictures, fits);
            for (int from = 0; from < pictures.size(); from += most) {
                batches.add(of(kind.options, pictures.subList(from, Math.min(from + most, pictures.size()))));
            }
        });
        batches.sort((a, b) -> Integer.compare(a.places.get(0), b.places.get(0)));
        return batches;
    }

    private static Batch of(Options common, List<Picture> pictures) {
        List<Long> seeds = pictures.stream().map(Picture::seed).toList();
        return new Batch(pictures.stream().map(Picture::prompt).toList(), common.withSeed(seeds.get(0)).withPictureSeeds(seeds),
                pictures.stream().map(Picture::place).toList());
    }

    private static int most(Options common, List<Picture> pictures, BiPredicate<Prompt, Options> fits) {
        int most = 1;
        while (most < pictures.size() && !Samplers.stepsTogether(common.sampler())
                && fits.test(pictures.get(0).prompt, common.withCount(most + 1))) {
            most++;
        }
        return most;
    }
}
