/**
 * Clip-art world: endless captioned scenes of public domain clip art, each a pure function of its seed, with the exact truth of what
 * they show. One to four kinds of thing, one to five of each, in sizes, colours, places and styles, on eight backgrounds; captions in
 * many phrasings. {@link io.sfumato.training.world.Split} keeps combinations and phrasings back, so that learning can be told from memory.
 */
package io.sfumato.training.world;
