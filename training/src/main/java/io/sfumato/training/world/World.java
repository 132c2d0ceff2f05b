package io.sfumato.training.world;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.world.Scene.Group;
import io.sfumato.training.world.Scene.Related;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Draws captioned scenes, each a pure function of its split and index, and safe to call from many threads. */
public final class World {
    /** How two groups are placed: as often in rows as in columns. */
    private static final List<Relation> PLACED = List.of(Relation.LEFT_OF, Relation.RIGHT_OF, Relation.NEXT_TO, Relation.ABOVE,
            Relation.BELOW, Relation.ABOVE, Relation.ON, Relation.BEHIND);
    private static final double SAYS_RELATION = 0.75;
    private static final int TRIES = 2000;

    private final WorldConfig config;
    private final List<Kind> kinds;
    private final Art art;

    public World(WorldConfig config, ClipArt clipArt) {
        this.config = config;
        this.kinds = Kind.of(clipArt.index(), config.nouns(), config.looks());
        this.art = new Art(clipArt, Math.min(256, 2 * config.size()));
    }

    /** What is drawn. */
    public WorldConfig config() {
        return config;
    }

    /** The nouns, in the order of the configuration. */
    public List<String> nouns() {
        return kinds.stream().map(Kind::noun).toList();
    }

    /** The scene of a seed: of {@link Split#TRAINING} below {@link Split#FIRST_HELD_OUT}, of {@link Split#HELD_OUT} from there on. */
    public Scene scene(long seed) {
        return seed < Split.FIRST_HELD_OUT ? scene(Split.TRAINING, seed) : scene(Split.HELD_OUT, seed - Split.FIRST_HELD_OUT);
    }

    /** Whether there are scenes of that split: few nouns may have nothing that is kept back. */
    public boolean has(Split split) {
        return find(split, 0).isPresent();
    }

    /** Scene {@code index} of a split. */
    public Scene scene(Split split, long index) {
        return find(split, index).orElseThrow(() -> new IllegalArgumentException("The world has no scenes of split " + split + ": none in "
                + TRIES + " tries; give it more nouns, kinds or colours"));
    }

    private Optional<Scene> find(Split split, long index) {
        SplittableRandom random = new SplittableRandom(split.seed(index));
        for (int i = 0; i < TRIES; i++) {
            List<Actor> cast = cast(random);
            if (belongs(split, cast)) {
                return Optional.of(draw(split, cast, random));
            }
        }
        return Optional.empty();
    }

    /** A group and what it is drawn with. */
    private record Actor(Group group, Kind kind, ClipArt.Entry look) {
        boolean shows(Colour colour) {
            return group.hasColour() ? group.paint() == colour : Kind.own(look).stream().limit(1).anyMatch(c -> c == colour);
        }

        boolean painted() {
            return group.hasColour() && !(look.colours().size() == 1 && look.colours().get(0).equals(group.colour()));
        }
    }

    private List<Actor> cast(SplittableRandom random) {
        int groups = 1 + index(config.kinds(), random), room = config.things();
        List<Actor> cast = new ArrayList<>();
        for (int i = 0; i < groups && i < kinds.size(); i++) {
            Kind kind = kinds.get(random.nextInt(kinds.size()));
            while (cast.stream().map(Actor::kind).toList().contains(kind)) {
                kind = kinds.get(random.nextInt(kinds.size()));
            }
            int most = Math.max(1, room - (groups - 1 - i));
            int count = kind.counted() ? Math.min(most, 1 + index(config.counts(), random)) : 1;
            room -= count;
            ClipArt.Entry look = kind.looks().get(random.nextInt(kind.looks().size()));
            List<Colour> colours = Kind.colours(look);
            String colour = colours.isEmpty() || random.nextDouble() >= config.coloured() ? Scene.NATURAL
                    : colours.get(random.nextInt(colours.size())).word();
            boolean sized = random.nextDouble() < config.sized() && groups == 1;
            Size size = sized ? random.nextBoolean() ? Size.LARGE : Size.SMALL : Size.MEDIUM;
            cast.add(new Actor(new Group(kind.noun(), colour, size, count), kind, look));
        }
        return cast;
    }

    /** The place of a random draw by shares. */
    private static int index(List<Double> shares, SplittableRandom random) {
        double left = random.nextDouble();
        for (int i = 0; i < shares.size() - 1; i++) {
            left -= shares.get(i);
            if (left < 0) {
                return i;
            }
        }
        return shares.size() - 1;
    }

    private static boolean belongs(Split split, List<Actor> cast) {
        boolean colours = cast.stream().anyMatch(a -> a.group().hasColour() && a.painted()
                && Split.keepsBackColour(a.group().colour(), a.kind().noun()));
        boolean pairs = false;
        for (int i = 0; i < cast.size(); i++) {
            for (int j = 0; j < i; j++) {
                pairs |= Split.keepsBackPair(cast.get(i).kind().noun(), cast.get(j).kind().noun());
            }
        }
        return switch (split) {
            case UNSEEN_COLOURS -> colours && !pairs;
            case UNSEEN_PAIRS -> pairs && !colours;
            case UNSEEN_SYNONYMS -> !colours && !pairs
                    && cast.stream().anyMatch(a -> a.kind().counted() && a.kind().synonyms().stream().anyMatch(Split::keepsBackSynonym));
            default -> !colours && !pairs;
        };
    }

    private Scene draw(Split split, List<Actor> cast, SplittableRandom random) {
        // Names of styles and narrations are never kept back.
        boolean plain = split == Split.UNSEEN_PHRASINGS;
        boolean flat = plain || split == Split.UNSEEN_COLOURS;
        Style style = !flat && random.nextDouble() < config.styled() ? config.styles().get(random.nextInt(config.styles().size()))
                : Style.FLAT;
        if (!style.showsColours()) {
            cast = cast.stream().map(a -> new Actor(new Group(a.group().noun(), Scene.NATURAL, a.group().size(), a.group().count()),
                    a.kind(), a.look())).toList();
        }
        Background.Painted background = background(cast, random);
        List<Layout.Placed> placed = placed(cast, random);
        float[] canvas = new float[config.size() * config.size() * 3];
        Background.paint(background, canvas, config.size());
        List<Scene.Thing> things = new ArrayList<>();
        for (Layout.Placed place : placed) {
            Actor actor = cast.get(place.group());
            boolean paints = actor.painted();
            art.draw(actor.look(), canvas, config.size(), place.box(), random.nextBoolean(), paints,
                    paints ? actor.group().paint().rgb() : 0);
            things.add(new Scene.Thing(place.group(), actor.look().picture(), place.box()));
        }
        style.apply(canvas, config.size());
        List<Related> relations = relations(things, cast.size());
        List<Related> said = said(relations, cast.size(), random);
        List<Captions.Named> named = cast.stream().map(a -> new Captions.Named(a.group(), a.kind())).toList();
        List<String> places = random.nextDouble() < config.placed() ? background.phrases() : List.of();
        Captions captions = new Captions(split, random);
        String caption = !plain && random.nextDouble() < config.narrated() ? captions.narration(named, said, places, style)
                : captions.sentence(named, said, places, style);
        return new Scene(config.size(), bytes(canvas), caption, cast.stream().map(Actor::group).toList(), things, relations, said,
                background.kind(), style);
    }

    /** Any background on which nothing is lost. */
    private Background.Painted background(List<Actor> cast, SplittableRandom random) {
        Background.Painted painted = config.backgrounds().get(random.nextInt(config.backgrounds().size())).pick(random);
        for (int i = 0; i < TRIES && hides(painted, cast); i++) {
            painted = config.backgrounds().get(random.nextInt(config.backgrounds().size())).pick(random);
        }
        return painted;
    }

    private static boolean hides(Background.Painted painted, List<Actor> cast) {
        return Arrays.stream(Colour.values()).filter(painted::hides).anyMatch(c -> cast.stream().anyMatch(a -> a.shows(c)));
    }

    private List<Layout.Placed> placed(List<Actor> cast, SplittableRandom random) {
        Layout layout = new Layout(random);
        List<Layout.Actor> actors = cast.stream()
                .map(a -> new Layout.Actor(a.group().count(), art.aspect(a.look()), a.group().size(), a.kind().flies())).toList();
        return switch (cast.size()) {
            case 1 -> layout.alone(actors.get(0));
            case 2 -> layout.pair(actors.get(0), actors.get(1), relation(cast.get(0), cast.get(1), random));
            default -> layout.several(actors);
        };
    }

    /** Left and right, above and below mostly; the others where they make sense. */
    private static Relation relation(Actor a, Actor b, SplittableRandom random) {
        boolean single = a.group().count() == 1 && b.group().count() == 1;
        if (single && b.kind().holds() && random.nextInt(4) == 0) {
            return Relation.INSIDE;
        }
        Relation relation = PLACED.get(random.nextInt(PLACED.size()));
        return switch (relation) {
            case ON -> single && b.kind().bears() && !b.kind().flies() ? relation : Relation.LEFT_OF;
            case BEHIND -> single ? relation : Relation.RIGHT_OF;
            default -> relation;
        };
    }

    private static List<Related> relations(List<Scene.Thing> things, int groups) {
        List<List<Box>> boxes = IntStream.range(0, groups)
                .mapToObj(g -> things.stream().filter(t -> t.group() == g).map(Scene.Thing::box).toList()).toList();
        List<Related> relations = new ArrayList<>();
        for (int i = 0; i < groups; i++) {
            for (int j = 0; j < groups; j++) {
                boolean behind = i != j && first(things, i) < first(things, j);
                for (Relation relation : Relation.values()) {
                    if (i != j && relation.holds(boxes.get(i), boxes.get(j), behind)) {
                        relations.add(new Related(i, relation, j));
                    }
                }
            }
        }
        return relations;
    }

    private static int first(List<Scene.Thing> things, int group) {
        return IntStream.range(0, things.size()).filter(i -> things.get(i).group() == group).findFirst().orElseThrow();
    }

    /** One relation or none; those that are seldom true are told whenever they are. */
    private static List<Related> said(List<Related> relations, int groups, SplittableRandom random) {
        List<Related> telling = relations.stream()
                .filter(r -> r.relation() == Relation.ON || r.relation() == Relation.INSIDE || r.relation() == Relation.BEHIND).toList();
        List<Related> choice = telling.isEmpty() ? relations : telling;
        return choice.isEmpty() || random.nextDouble() >= SAYS_RELATION ? List.of() : List.of(choice.get(random.nextInt(choice.size())));
    }

    private static byte[] bytes(float[] canvas) {
        byte[] bytes = new byte[canvas.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Math.max(0, Math.min(255, Math.round(canvas[i])));
        }
        return bytes;
    }
}
