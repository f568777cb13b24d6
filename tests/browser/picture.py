"""What a picture in the page shows, as numbers a test can hold."""

from dataclasses import dataclass

# Draws each picture small on a canvas: the colours tell a blank one from a drawn one, and their
# hash tells two pictures apart without carrying them out of the browser.
PICTURES_SCRIPT = """async element => {
  const found = [];
  for (const image of element.querySelectorAll('img, .gradlab-panel')) {
    if (image.decode) await image.decode().catch(() => {});
    if (!image.checkVisibility()) continue;
    const layers = image.matches('img') ? [image] : [...image.querySelectorAll('canvas')];
    const width = layers[0].naturalWidth ?? layers[0].width;
    const height = layers[0].naturalHeight ?? layers[0].height;
    const canvas = new OffscreenCanvas(width || 1, height || 1);
    const context = canvas.getContext('2d');
    if (width && height) for (const layer of layers) context.drawImage(layer, 0, 0, width, height);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const digest = await crypto.subtle.digest('SHA-256', data);
    const small = new OffscreenCanvas(80, 32).getContext('2d');
    small.imageSmoothingQuality = 'high';
    small.drawImage(canvas, 0, 0, 80, 32);
    const thumbnail = [...small.getImageData(0, 0, 80, 32).data].filter((_, i) => i % 4 === 1);
    const pixels = new Uint32Array(data.buffer), counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    found.push({
      width, height, alt: image.alt ?? image.getAttribute('aria-label') ?? '',
      digest: [...new Uint8Array(digest)].map(b => b.toString(16).padStart(2, '0')).join(''),
      thumbnail,
      colours: counts.size,
      background: Math.max(...counts.values()) / pixels.length,
    });
  }
  return found;
}"""


@dataclass(frozen=True)
class Picture:
    """One picture as the browser decoded it.

    Attributes
    ----------
    width, height : int
        In the picture's own pixels; 0 when the browser could not decode it.
    alt : str
    digest : str
        Of the pixels: equal digests are equal pictures.
    thumbnail : list of int
        How bright it is, 0 … 255, at 80 × 32 places.
    colours : int
        How many different colours there are.
    background : float
        Share of the pixels that have the most frequent colour, 0 … 1.
    """

    width: int
    height: int
    alt: str
    digest: str
    thumbnail: list
    colours: int
    background: float

    @property
    def blank(self):
        """True where nothing is drawn: no pixels, or one colour everywhere."""
        return self.width == 0 or self.height == 0 or self.colours < 2

    def distance(self, other):
        """Return how different two pictures look: 0 for equal ones, 255 for black and white."""
        pairs = zip(self.thumbnail, other.thumbnail, strict=True)
        return sum(abs(one - two) for one, two in pairs) / len(self.thumbnail)
