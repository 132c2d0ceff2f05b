/**
 * The drawn world on which the embedded model learns: public domain clip art of a few dozen nouns, some recoloured, one or two to a
 * picture, on plain light backgrounds, with captions such as "a red apple left of a blue house". Every scene is a pure function of its
 * seed and carries its ground truth (nouns, colours, boxes), so that training needs no files beyond the art and alignment can be
 * measured without a judge. The nouns and what may be recoloured in each are the table in {@link io.sfumato.training.scenes.Noun}.
 */
package io.sfumato.training.scenes;
