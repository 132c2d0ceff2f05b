/**
 * Data sets of captioned pictures in the layouts in which they are published: COCO captions, CUB-200 and Oxford-102 with the captions of
 * Reed et al., Localized Narratives, webdataset archives, folders of pictures with texts. Every reader gives a list of
 * {@link io.sfumato.training.data.Captioned} and reads pictures only when they are asked for; {@link io.sfumato.training.data.Buckets}
 * groups them by shape.
 */
package io.sfumato.training.data;
