"""Where the texts of the lab's canvases stand: no DOM tells it, so the page's own pens note it.

A panel draws what stands still on a sheet that nobody sees, and copies it: the notes go with it.
"""

from dataclasses import dataclass

#: For `add_init_script`: from then on `canvas.gradlabTexts` has the boxes of what a panel shows.
RECORD = """(() => {
  const notes = canvas => canvas.gradlabTexts ??= [];
  for (const {prototype: pen} of [OffscreenCanvasRenderingContext2D, CanvasRenderingContext2D]) {
    const {fillText, fillRect, drawImage} = pen;
    pen.fillText = function (text, x, y, ...more) {
      fillText.call(this, text, x, y, ...more);
      const ink = this.measureText(text), to = this.getTransform();
      const at = (x, y) => to.transformPoint({x, y});
      const corners = [-ink.actualBoundingBoxLeft, ink.actualBoundingBoxRight].flatMap(dx => (
        [-ink.actualBoundingBoxAscent, ink.actualBoundingBoxDescent].map(dy => at(x + dx, y + dy))
      ));
      const [left, right] = [Math.min, Math.max].map(end => end(...corners.map(c => c.x)));
      const [top, bottom] = [Math.min, Math.max].map(end => end(...corners.map(c => c.y)));
      if (!`${text}`.trim()) return;
      notes(this.canvas).push({text, left, right, top, bottom, pale: this.globalAlpha < 1});
    };
    pen.fillRect = function (x, y, width, height) {
      fillRect.call(this, x, y, width, height);
      const {a} = this.getTransform(), {canvas} = this;
      if (x <= 0 && y <= 0 && a * width >= canvas.width - 2) canvas.gradlabTexts = [];
    };
    pen.drawImage = function (image, ...more) {
      drawImage.call(this, image, ...more);
      if (image.gradlabTexts && image.width === this.canvas.width) {
        this.canvas.gradlabTexts = [...image.gradlabTexts];
      }
    };
  }
})();"""

_READ = """lab => [...lab.querySelectorAll('.gradlab-panel')].filter(p => p.checkVisibility())
  .map(panel => {
    const canvas = panel.querySelector('canvas'), box = canvas.getBoundingClientRect();
    const scale = box.width / canvas.width;
    const texts = (canvas.gradlabTexts ?? []).map(({left, right, top, bottom, ...rest}) => {
      return {...rest, left: left * scale, right: right * scale, top: top * scale,
              bottom: bottom * scale};
    });
    return [panel.dataset.panel, {width: box.width, height: box.height, texts}];
  })"""


@dataclass(frozen=True)
class Text:
    """A text on a panel, and the box of its ink in CSS pixels from the panel's corner."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    pale: bool

    def overlaps(self, other, by=1.0):
        """Tell whether both boxes share more than `by` pixels in both directions."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > by and down > by


def texts_of(lab):
    """Return the texts that each visible panel shows, by its name, and each panel's size."""
    found = dict(lab.evaluate(_READ))
    texts = {name: [Text(**one) for one in panel["texts"]] for name, panel in found.items()}
    return texts, {name: (panel["width"], panel["height"]) for name, panel in found.items()}


def collisions(lab):
    """Return the pairs of texts that overlap, and the texts that stick out of their panel."""
    texts, sizes = texts_of(lab)
    found = []
    for name, all_texts in texts.items():
        firm = [text for text in all_texts if not text.pale]
        width, height = sizes[name]
        for i, one in enumerate(firm):
            found += [(name, one.text, two.text) for two in firm[i + 1 :] if one.overlaps(two)]
            inside = min(one.left, one.top, width - one.right, height - one.bottom) >= -1
            found += [] if inside else [(name, one.text, "sticks out")]
    return found
