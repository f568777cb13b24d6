// Where the parts of a chart stand in its panel: the axes, and the texts around them.
//
// As gradlab/plots/layout.py has it for matplotlib, with the browser's own widths of texts.
import {ticksOf} from './scales.js';

export const SMALL = 0.82; // em: ticks, legend and note
const TITLE = 1.7, LEGEND_ROW = 1.15, LEGEND_LINE = 1.5, TICK_ROW = 1.35, LABEL_ROW = 1.15;
const EDGE = 0.6, GAP = 0.9, AIR = 0.25; // between legend and axes, where the topmost tick's text stands

// Breaks a legend into rows of at most `width`: [entry, x] each, in pixels.
export function legendRows(legend, width, em, measure) {
  const rows = [];
  let x = 0;
  for (const entry of legend) {
    const sign = entry.sign ? measure(entry.sign, SMALL) : LEGEND_LINE * em;
    const needed = sign + (entry.text ? 0.35 * em + measure(entry.text, SMALL) : 0);
    if (!rows.length || x + needed > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1).push({entry, x, textAt: x + sign + 0.35 * em});
    x += needed + (entry.text ? GAP : 0.3) * em;
  }
  return rows;
}

// `size` is the panel's [width, height] in pixels; `measure(text, size)` tells a text's width in pixels, its
// size in em; `view` is the part of each axis that is shown, {x: [from, to], y: [from, to]} in shares.
export function frameOf(chart, size, em, measure, view) {
  const [width, height] = size;
  const ticks = chart.framed ? {x: ticksOf(chart.x, view.x), y: ticksOf(chart.y, view.y)} : {x: [], y: []};
  const widest = Math.max(0, ...ticks.y.map(([, text]) => measure(text, SMALL)));
  const left = (EDGE + (chart.y.label ? LABEL_ROW : 0)) * em + widest + (ticks.y.length ? 0.4 * em : 0);
  const right = (EDGE + chart.right) * em;
  const below = (ticks.x.length ? TICK_ROW : 0) + (chart.x.label ? LABEL_ROW : 0) + chart.bottom;
  const bottom = (0.5 + below + (chart.note ? LABEL_ROW : 0)) * em;
  const rows = legendRows(chart.legend, width - 2 * EDGE * em, em, measure);
  const top = (TITLE + LEGEND_ROW * rows.length + (rows.length ? AIR : 0)) * em;
  const room = {x: left, y: top, width: width - left - right, height: height - top - bottom};
  const box = chart.square ? square(room, chart, view) : room, floor = box.y + box.height;
  const legend = rows.flatMap((row, i) => row.map(one => (
    {...one, x: EDGE * em + one.x, textAt: EDGE * em + one.textAt, y: (TITLE + LEGEND_ROW * (i + 0.45) - 0.1) * em}
  )));
  return {
    width, box, legend, ticks, edge: EDGE * em,
    tickRow: floor + 0.75 * em,
    labelRow: floor + ((ticks.x.length ? TICK_ROW : 0) + 0.55) * em,
    noteRow: floor + (below + 0.6) * em,
  };
}

// The largest part of a box in which a unit is as long upwards as along; above, at the left.
function square(box, {x, y}, view) {
  const span = (axis, [from, to]) => Math.abs(axis.high - axis.low) * (to - from) || 1;
  const unit = Math.min(box.width / span(x, view.x), box.height / span(y, view.y));
  const width = unit * span(x, view.x), height = unit * span(y, view.y);
  return {...box, width, height};
}

// From shares of the axes to pixels of the panel, and back.
export class Place {
  constructor(box, view, em) {
    Object.assign(this, {box, view, em});
  }

  x(share) {
    const [from, to] = this.view.x;
    return this.box.x + (share - from) / (to - from) * this.box.width;
  }

  y(share) {
    const [from, to] = this.view.y;
    return this.box.y + (to - share) / (to - from) * this.box.height;
  }

  // Shares at a point in pixels, moved into the axes.
  nearest(x, y) {
    const {box, view} = this;
    const at = ([from, to], part) => from + Math.min(1, Math.max(0, part)) * (to - from);
    return {x: at(view.x, (x - box.x) / box.width), y: at(view.y, 1 - (y - box.y) / box.height)};
  }

  // The same, but null far from the axes. `right` is the room for texts there, in em.
  shares(x, y, right = 0) {
    const {box, em} = this, slack = 0.6 * em;
    const near = x > box.x - slack && x < box.x + box.width + slack + right * em
      && y > box.y - slack && y < box.y + box.height + 1.6 * em; // ticks' texts belong to them
    return near ? this.nearest(x, y) : null;
  }
}
