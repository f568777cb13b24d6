"""How well words stand out from what is behind them, with CSS filters, which axe-core ignores."""

# Colours are drawn on a canvas through the filters of everything around them: what the screen
# shows. Behind the words is the nearest ancestor with a background.
CONTRAST_SCRIPT = """(element, selector) => {
  const ctx = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const style = node => getComputedStyle(node);
  function pixel(colour, around) {
    ctx.clearRect(0, 0, 1, 1);
    ctx.filter = around.map(node => style(node).filter).filter(f => f !== 'none').join(' ')
      || 'none';
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, 1, 1);
    return [...ctx.getImageData(0, 0, 1, 1).data];
  }
  function luminance(rgba) {
    const [r, g, b] = rgba.map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  const found = [];
  for (const node of element.querySelectorAll(selector)) {
    const words = [...node.childNodes].filter(n => n.nodeType === Node.TEXT_NODE)
      .map(n => n.textContent.trim()).join(' ').trim();
    if (!words || !node.checkVisibility()) continue;
    const chain = [];
    for (let one = node; one; one = one.parentElement) chain.push(one);
    const behind = chain.findIndex(one => pixel(style(one).backgroundColor, [])[3] === 255);
    const levels = [
      luminance(pixel(style(node).color, chain)),
      luminance(pixel(style(chain[behind]).backgroundColor, chain.slice(behind))),
    ];
    found.push([words, (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05)]);
  }
  return found;
}"""


def contrasts(locator, selector):
    """Return the words inside `locator` that match `selector`, each with its contrast, 1 … 21."""
    return [tuple(pair) for pair in locator.evaluate(CONTRAST_SCRIPT, selector)]
