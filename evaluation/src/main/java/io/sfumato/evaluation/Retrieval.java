package io.sfumato.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.families.ClipScore;
import io.sfumato.image.Image;
import io.sfumato.training.world.Scene;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How well a CLIP finds, among held-out scenes, the picture of a caption and the caption of a picture (Radford et al. 2021, 3.1.4). A
 * caption that several have is asked once.
 *
 * @param scenes         to find one among
 * @param pictureOfText  how often the right picture is the first, among the first five and the first ten for a caption
 * @param textOfPicture  the same of captions for a picture
 */
public record Retrieval(int scenes, Recall pictureOfText, Recall textOfPicture) {
    /** Shares, 0 to 1. */
    public record Recall(double at1, double at5, double at10) {
    }

    /** Of the scenes whose caption none before them has. */
    public static Retrieval run(ClipScore clip, List<Scene> scenes) {
        Set<String> known = new HashSet<>();
        List<Scene> asked = scenes.stream().filter(scene -> known.add(scene.caption())).toList();
        List<Image> pictures = Pictures.ofWorld(asked);
        return of(clip.cosines(pictures, asked.stream().map(Scene::caption).toList()));
    }

    /** @param cosines of picture i (row) and text j (column), which belong together where i = j */
    static Retrieval of(double[][] cosines) {
        int n = cosines.length;
        double[][] texts = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                texts[j][i] = cosines[i][j];
            }
        }
        return new Retrieval(n, recall(texts), recall(cosines));
    }

    private static Recall recall(double[][] scores) {
        int[] ranks = new int[scores.length];
        for (int i = 0; i < scores.length; i++) {
            for (double score : scores[i]) {
                ranks[i] += score > scores[i][i] ? 1 : 0;
            }
        }
        return new Recall(within(ranks, 1), within(ranks, 5), within(ranks, 10));
    }

    private static double within(int[] ranks, int n) {
        int found = 0;
        for (int rank : ranks) {
            found += rank < n ? 1 : 0;
        }
        return (double) found / ranks.length;
    }

    /** As one JSON object. */
    public String json() {
        return new ObjectMapper().valueToTree(this).toString();
    }
}
