import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import javax.imageio.ImageIO;

/** Decodes every file of a folder into another, as PPM; what it cannot read, it leaves out. */
public class ImageIo {
    public static void main(String[] given) throws Exception {
        boolean raster = given[0].equals("raster");
        for (File file : new File(given[1]).listFiles()) {
            BufferedImage image = ImageIO.read(file);
            if (image == null) continue;
            int width = image.getWidth(), height = image.getHeight();
            byte[] pixels = raster ? samples(image, width, height) : colours(image, width, height);
            try (OutputStream out = new BufferedOutputStream(
                    new FileOutputStream(new File(given[2], file.getName() + ".ppm")))) {
                out.write(("P6\n" + width + " " + height + "\n255\n").getBytes());
                out.write(pixels);
            }
        }
    }

    /** As most programs do it: getRGB, which takes grey for linear light. */
    static byte[] colours(BufferedImage image, int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        int[] all = image.getRGB(0, 0, width, height, null, 0, width);
        for (int at = 0; at < all.length; at++) {
            for (int channel = 0; channel < 3; channel++) {
                pixels[3 * at + channel] = (byte) (all[at] >> (16 - 8 * channel));
            }
        }
        return pixels;
    }

    /** The samples as they were decoded, grey three times. */
    static byte[] samples(BufferedImage image, int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        for (int channel = 0; channel < 3; channel++) {
            int band = bands < 3 ? 0 : channel;
            int[] all = raster.getSamples(0, 0, width, height, band, (int[]) null);
            for (int at = 0; at < all.length; at++) pixels[3 * at + channel] = (byte) all[at];
        }
        return pixels;
    }
}
