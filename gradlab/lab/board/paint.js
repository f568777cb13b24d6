// Draws charts on a canvas: the marks of gradlab/plots/chart.py, in the theme's colours.
//
// Beside the browser's canvas it knows nothing: neither widgets nor what the charts are about.
import {SMALL} from './frame.js';
import {between} from './scales.js';

// The lab's stored pictures have the same letters: a text that fits there fits here.
const LETTERS = '"DejaVu Sans", Verdana, sans-serif';
const GHOST = 0.38, DARK_GHOST = 0.6; // opacity: light lines fade sooner on dark than dark ones on light
const PIXEL = 1 / 13; // em: what the marks' radii and widths are given in, at the page's usual text

export const font = (size, bold = false) => `${bold ? 'bold ' : ''}${size}px ${LETTERS}`;

// Reads the arrays of a message's one buffer. A copy, which begins where 32-bit numbers may.
export function numbersOf(bytes) {
  const buffer = bytes?.byteLength ? bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) : null;
  return {
    floats: ([start, count]) => (count ? new Float32Array(buffer, start, count) : []),
    colours: ([start, count]) => new Uint8ClampedArray(buffer, start, count),
  };
}

// A pen: what every mark needs to be drawn. `colour` resolves roles.
export function penOf(ctx, place, roles) {
  return {ctx, place, k: place.em * PIXEL, em: place.em, colour: role => roles[role] ?? role};
}

function stroke({ctx, k, colour}, mark) {
  ctx.strokeStyle = colour(mark.colour);
  ctx.lineWidth = mark.width * k;
  ctx.setLineDash(mark.dash.map(length => length * mark.width * k));
}

const SIGNS = {
  disc(ctx, x, y, r) {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  },
  square(ctx, x, y, r) {
    ctx.rect(x - r, y - r, 2 * r, 2 * r);
  },
  triangle(ctx, x, y, r) { // its tip down
    ctx.moveTo(x - r, y - 0.8 * r);
    ctx.lineTo(x + r, y - 0.8 * r);
    ctx.lineTo(x, y + 0.9 * r);
    ctx.closePath();
  },
};
SIGNS.ring = SIGNS.disc;

const DRAW = {
  curve(pen, mark, numbers) {
    const {ctx, place} = pen, x = numbers.floats(mark.x), y = numbers.floats(mark.y);
    stroke(pen, mark);
    ctx.lineJoin = 'round';
    ctx.beginPath();
    let down = false;
    for (let i = 0; i < x.length; i++) {
      const seen = x[i] === x[i] && y[i] === y[i]; // NaN is a gap
      if (seen) (down ? ctx.lineTo(place.x(x[i]), place.y(y[i])) : ctx.moveTo(place.x(x[i]), place.y(y[i])));
      down = seen;
    }
    ctx.stroke();
  },

  // Groups of dots, a colour a group; `ends` says where each group ends.
  dots({ctx, place, k, colour}, mark, numbers) {
    const x = numbers.floats(mark.x), y = numbers.floats(mark.y), radius = mark.radius * k;
    const sign = SIGNS[mark.sign], ring = mark.sign === 'ring';
    ctx.setLineDash([]);
    let i = 0;
    mark.ends.forEach((end, group) => {
      ctx.beginPath();
      for (; i < end; i++) if (y[i] === y[i]) sign(ctx, place.x(x[i]), place.y(y[i]), radius);
      ctx.fillStyle = colour(ring ? 'paper' : mark.colours[group]);
      ctx.fill();
      if (!ring && !mark.edge) return;
      ctx.strokeStyle = colour(ring ? mark.colours[group] : mark.edge);
      ctx.lineWidth = (ring ? 1.6 : 1) * k;
      ctx.stroke();
    });
  },

  segments(pen, mark, numbers) {
    const {ctx, place} = pen;
    const [x0, y0, x1, y1] = corners(mark, numbers);
    stroke(pen, mark);
    ctx.beginPath();
    for (let i = 0; i < x0.length; i++) {
      ctx.moveTo(place.x(x0[i]), place.y(y0[i]));
      ctx.lineTo(place.x(x1[i]), place.y(y1[i]));
    }
    ctx.stroke();
  },

  boxes({ctx, place, k, em, colour}, mark, numbers) {
    const [x0, y0, x1, y1] = corners(mark, numbers);
    ctx.beginPath();
    for (let i = 0; i < x0.length; i++) {
      const left = place.x(x0[i]), top = place.y(y1[i]);
      const box = [left, top, place.x(x1[i]) - left, place.y(y0[i]) - top];
      if (mark.round) ctx.roundRect(...box, mark.round * em);
      else ctx.rect(...box);
    }
    if (mark.fill) {
      ctx.fillStyle = colour(mark.fill);
      ctx.fill();
    }
    if (!mark.edge) return;
    ctx.strokeStyle = colour(mark.edge);
    ctx.lineWidth = mark.width * k;
    ctx.setLineDash(mark.dash.map(length => length * mark.width * k));
    if (mark.hatch) hatch(ctx, place.box, em);
    else ctx.stroke();
  },

  words({ctx, place, em, colour}, mark, numbers) {
    const x = numbers.floats(mark.x), y = numbers.floats(mark.y);
    ctx.font = font(mark.size * em, mark.bold);
    ctx.textAlign = mark.align;
    ctx.textBaseline = mark.base;
    if (mark.halo) {
      Object.assign(ctx, {strokeStyle: colour('paper'), lineWidth: 0.35 * em, lineJoin: 'round'});
      ctx.setLineDash([]);
    }
    mark.texts.forEach((text, i) => {
      ctx.fillStyle = colour(mark.colours[i]);
      const lines = text.split('\n'), row = 1.1 * mark.size * em;
      const first = place.y(y[i]) + mark.dy * em
        - {top: 0, middle: 0.5, bottom: 1}[mark.base] * (lines.length - 1) * row;
      lines.forEach((line, j) => {
        const at = [place.x(x[i]) + mark.dx * em, first + j * row];
        if (mark.halo) ctx.strokeText(line, ...at);
        ctx.fillText(line, ...at);
      });
    });
  },

  // A matrix as coloured cells that fill a box.
  cells({ctx, place}, mark, numbers) {
    const [rows, columns] = mark.shape, [x0, y0, x1, y1] = mark.box;
    small ??= new OffscreenCanvas(columns, rows);
    if (small.width !== columns || small.height !== rows) Object.assign(small, {width: columns, height: rows});
    const pixels = small.getContext('2d', {willReadFrequently: true}); // kept where bytes go quickly
    pixels.putImageData(new ImageData(numbers.colours(mark.rgba), columns, rows), 0, 0);
    ctx.imageSmoothingEnabled = false;
    const left = place.x(x0), top = place.y(y1);
    ctx.drawImage(small, left, top, place.x(x1) - left, place.y(y0) - top);
  },
};
let small; // made once: a new one costs more than all the cells

const corners = (mark, numbers) => [mark.x0, mark.y0, mark.x1, mark.y1].map(numbers.floats);

// Slanted lines over the path that the context has.
function hatch(ctx, {x, y, width, height}, em) {
  ctx.save();
  ctx.clip();
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let at = x - height; at < x + width; at += 0.7 * em) {
    ctx.moveTo(at, y + height);
    ctx.lineTo(at + height, y);
  }
  ctx.stroke();
  ctx.restore();
}

// Draws marks inside the axes, and dots whole that stand on their edge; texts that may stand outside come last.
export function paintMarks(pen, marks, numbers) {
  const {ctx, place: {box}, em} = pen;
  for (const mark of marks.filter(one => !one.outside)) {
    const slack = mark.kind === 'dots' ? 0.4 * em : 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.x - slack, box.y - slack, box.width + 2 * slack, box.height + 2 * slack);
    ctx.clip();
    DRAW[mark.kind](pen, mark, numbers);
    ctx.restore();
  }
  for (const mark of marks.filter(one => one.outside)) DRAW[mark.kind](pen, mark, numbers);
}

// Draws a chart, but for what moves. `ghost` is {x, y, marks, numbers} of an earlier one, or null.
export function paintChart(pen, chart, frame, numbers, ghost) {
  const grounds = chart.marks.findIndex(mark => !['boxes', 'cells'].includes(mark.kind));
  const lowest = grounds < 0 ? chart.marks.length : grounds;
  paintMarks(pen, chart.marks.slice(0, lowest), numbers);
  if (ghost) paintGhost(pen, chart, ghost);
  if (chart.framed) paintAxes(pen, chart, frame);
  paintMarks(pen, chart.marks.slice(lowest), numbers);
  paintTexts(pen, chart, frame);
}

const isDark = colour => parseInt(colour.slice(3, 5), 16) < 128; // the green of "#rrggbb": most of how light it is

// An earlier chart's marks, on the axes of this one.
function paintGhost(pen, chart, ghost) {
  const along = between(ghost.x, chart.x), up = between(ghost.y, chart.y);
  if (!along || !up) return;
  const {place, ctx} = pen;
  const there = {box: place.box, x: share => place.x(along(share)), y: share => place.y(up(share))};
  ctx.save();
  ctx.globalAlpha = isDark(pen.colour('paper')) ? DARK_GHOST : GHOST;
  paintMarks({...pen, place: there}, ghost.marks, ghost.numbers);
  ctx.restore();
}

function paintAxes({ctx, place, em, k, colour}, {x, y}, {box, ticks, tickRow, labelRow, width}) {
  const bottom = box.y + box.height;
  ctx.strokeStyle = colour('faint');
  ctx.lineWidth = k;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(box.x, box.y);
  ctx.lineTo(box.x, bottom);
  ctx.lineTo(box.x + box.width, bottom);
  for (const [share] of ticks.x) {
    ctx.moveTo(place.x(share), bottom);
    ctx.lineTo(place.x(share), bottom + 0.25 * em);
  }
  for (const [share] of ticks.y) {
    ctx.moveTo(box.x - 0.25 * em, place.y(share));
    ctx.lineTo(box.x, place.y(share));
  }
  ctx.stroke();
  ctx.fillStyle = colour('ink');
  ctx.font = font(SMALL * em);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  for (const [share, text] of ticks.y) ctx.fillText(text, box.x - 0.4 * em, place.y(share));
  ctx.textAlign = 'center';
  let free = -Infinity; // where the last text ends: two never overlap
  for (const [share, text] of ticks.x) {
    const half = ctx.measureText(text).width / 2, at = Math.min(place.x(share), width - half - 1);
    if (at - half < free) continue;
    free = at + half + 0.2 * em;
    ctx.fillText(text, at, tickRow);
  }
  ctx.font = font(0.9 * em);
  ctx.fillText(x.label, box.x + box.width / 2, labelRow);
  if (y.label) {
    ctx.save();
    ctx.translate(0.9 * em, box.y + box.height / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.fillText(y.label, 0, 0);
    ctx.restore();
  }
}

function paintTexts({ctx, em, k, colour}, chart, {edge, legend, noteRow, width}) {
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  ctx.fillStyle = colour('faint');
  ctx.font = font(SMALL * em);
  const aside = chart.aside ? ctx.measureText(chart.aside).width + em : 0;
  ctx.fillText(chart.aside, width - edge, 0.85 * em);
  ctx.textAlign = 'left';
  // further left what would not fit
  const within = length => Math.max(0.3 * em, Math.min(edge, width - 0.3 * em - length));
  ctx.fillText(chart.note, within(ctx.measureText(chart.note).width), noteRow);
  ctx.font = font(em);
  ctx.fillStyle = colour('ink');
  ctx.fillText(chart.title, within(ctx.measureText(chart.title).width + aside), 0.85 * em);
  ctx.font = font(SMALL * em);
  for (const {entry, x, y, textAt} of legend) {
    ctx.fillStyle = ctx.strokeStyle = colour(entry.colour);
    if (entry.sign) ctx.fillText(entry.sign, x, y);
    else {
      ctx.lineWidth = 2 * k;
      ctx.setLineDash(entry.dash.map(length => 2 * length * k));
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x + 1.5 * em, y);
      ctx.stroke();
    }
    ctx.fillStyle = colour('ink');
    ctx.fillText(entry.text, textAt, y);
  }
}
