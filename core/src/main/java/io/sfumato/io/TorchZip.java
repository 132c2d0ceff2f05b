package io.sfumato.io;

import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;

/** The zip archive that PyTorch has written since 1.6: {@code NAME/data.pkl}, and a record {@code NAME/data/KEY} for each storage. */
final class TorchZip {
    private static final String PICKLE = "data.pkl";

    private TorchZip() {
    }

    static TorchFile read(FileChannel channel, Tensor bytes) throws IOException {
        ZipDirectory zip = new ZipDirectory(channel);
        String folder = folder(zip);
        if (zip.has(folder + "byteorder") && !input(channel, zip.find(folder + "byteorder")).text(6).equals("little")) {
            throw new CheckpointException("written on a big-endian machine; little-endian files are read");
        }
        Object root = Pickle.read(input(channel, zip.find(folder + PICKLE)), TorchFile::persistent);
        return new TorchFile(root, storage -> {
            try {
                if (!zip.has(folder + "data/" + storage.key())) {
                    throw TorchStream.lacks(storage);
                }
                ZipDirectory.Record record = zip.find(folder + "data/" + storage.key());
                return new StoredTensor.Mapped(bytes, record.begin(), record.length());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Where the pickle is: the outermost folder that has one. */
    private static String folder(ZipDirectory zip) {
        String shortest = "";
        for (String name : zip.names()) {
            if (name.endsWith("/" + PICKLE) && (shortest.isEmpty() || name.length() < shortest.length())) {
                shortest = name;
            }
        }
        if (shortest.isEmpty()) {
            throw new CheckpointException("a zip archive without " + PICKLE + ": PyTorch did not write it");
        }
        return shortest.substring(0, shortest.length() - PICKLE.length());
    }

    private static PickleInput input(FileChannel channel, ZipDirectory.Record record) throws IOException {
        return new PickleInput(channel, record.begin(), record.begin() + record.length());
    }
}
