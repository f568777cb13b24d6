"""Whether a lab fits its page: the measures of the geometry tests."""

from .scripts import TWO_FRAMES
from .texts import collisions

# What is wrong with the elements of a lab, in words: an element that sticks out of its parent
# (unless that clips it on purpose, or it has left the flow), what can be scrolled sideways.
WRONG = """lab => {
  const found = [], name = e => `${e.tagName}.${[...e.classList].join('.')}`;
  for (const element of lab.querySelectorAll('*')) {
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    const style = getComputedStyle(element), parent = element.parentElement;
    if (['absolute', 'fixed'].includes(style.position) || style.display === 'contents') continue;
    if (element.closest('svg, .noUi-target, option, select, .gradlab-voice')) continue;
    const own = element.getBoundingClientRect(), around = parent.getBoundingClientRect();
    if (!own.width || !own.height || getComputedStyle(parent).display === 'contents') continue;
    if (style.display === 'inline') continue;
    const out = Math.max(own.right - around.right, around.left - own.left);
    if (out > 2.5) found.push(`${name(element)} sticks ${out.toFixed(1)} out of ${name(parent)}`);
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth
        && ['auto', 'scroll'].includes(style.overflowX)) {
      found.push(`${name(element)} scrolls sideways`);
    }
  }
  for (let e = lab; e; e = e.parentElement) {
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible'
        && getComputedStyle(e).overflowX !== 'hidden') found.push(`${name(e)} scrolls sideways`);
  }
  return found;
}"""
# Words of the DOM that lie on each other; what is inside of a control is one thing.
OVERLAPS = """lab => {
  const words = [], walk = document.createTreeWalker(lab, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, holder = node.parentElement;
    if (!node.data.trim() || holder.closest('option, style, .gradlab-voice, canvas')) continue;
    if (!holder.checkVisibility({visibilityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) words.push([node, box]);
  }
  const found = [];
  words.forEach(([one, a], i) => words.slice(i + 1).forEach(([two, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (one !== two && across > 2 && down > 4) found.push([one.data.trim(), two.data.trim()]);
  }));
  return found;
}"""
ROWS = """lab => new Set([...lab.querySelectorAll('.gradlab-panel')]
  .filter(panel => panel.checkVisibility())
  .map(panel => Math.round(panel.getBoundingClientRect().top))).size"""
HEIGHT = """lab => {
  const bottom = lab.querySelector('.gradlab-chooser, .gradlab-row').getBoundingClientRect().bottom;
  const sliders = [...lab.querySelectorAll('.noUi-target')].filter(e => e.checkVisibility());
  const top = Math.min(...sliders.map(e => e.getBoundingClientRect().top));
  return bottom - top;
}"""


def settle(page, lab):
    """Wait until what a new size changes is drawn."""
    page.wait_sharp(lab)
    page.tab.evaluate(TWO_FRAMES)
    page.tab.evaluate(TWO_FRAMES)


def faults(lab):
    """Return what sticks out, is scrolled sideways, or lies on another, in pages and pictures."""
    return [*lab.evaluate(WRONG), *lab.evaluate(OVERLAPS), *collisions(lab)]


def rows(lab):
    """Return how many rows the panels fill."""
    return lab.evaluate(ROWS)


def height(lab):
    """Return the pixels from the upper end of the sliders to the lower one of the groups' row."""
    return lab.evaluate(HEIGHT)
