package io.sfumato.image;

/** The bytes of a picture file, the name that its errors begin with, and the largest number of pixels to accept. */
record Source(String name, byte[] data, long maxPixels) {
    private static final int DECODING_BYTES = 8;                           // a pixel, while its picture is decoded

    BadImageException bad(String reason) {
        return new BadImageException(name + ": " + reason);
    }

    BadImageException endsEarly() {
        return bad("the file ends early, after " + data.length + " bytes");
    }

    /** Refuses sizes before memory is taken for them: a small file may claim a huge picture. */
    void checkSize(long width, long height) {
        if (width < 1 || height < 1) {
            throw bad("damaged: its size is " + width + "x" + height);
        }
        if (width > maxPixels / height) {
            throw bad(width + "x" + height + " pixels are more than the limit of " + maxPixels);
        }
        long heap = Runtime.getRuntime().maxMemory();
        if (width * height > heap / DECODING_BYTES) {
            throw bad(width + "x" + height + " pixels need " + (width * height * DECODING_BYTES >> 20) + " MiB of memory, Java has "
                + (heap >> 20) + " MiB: give it more with -Xmx");
        }
    }
}
