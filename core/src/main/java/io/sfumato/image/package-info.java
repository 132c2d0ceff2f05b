/** Pictures: pixels in memory, PNG, JPEG and WebP files with their metadata, and the text that says how a picture was made. */
package io.sfumato.image;
