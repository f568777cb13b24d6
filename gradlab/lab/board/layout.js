// How large the panels are, and how many stand in a row.
//
// Everything in a panel is measured in its em, so that is one number for all of them.
export const HEIGHT = 21; // em: of every panel
const LARGEST = 1.6; // times the page's text
const SMALLEST = 10.5; // pixels: smaller ems cannot be read, and panels wrap instead
const WORTH = 1.025; // grow by less than this, and a scroll bar that comes would make it shrink again

// Returns the panels' em in pixels. `widths` in em; `room` has the page's em, and the width and height that
// there is for a row, in pixels; `now` is the em of before.
export function emOf(widths, room, now = 0) {
  if (!widths.length || !(room.width > 0)) return room.em;
  const widest = room.width / Math.max(...widths);
  // several rows do not fit a window anyhow: they are as large as the page's text, and need not fit one
  const least = rowsAt(widths, room.width, SMALLEST) > 1 ? Math.min(room.em, widest) : SMALLEST;
  const rows = rowsAt(widths, room.width, least);
  const most = Math.min(LARGEST * room.em, Math.max(least, room.height / HEIGHT / rows), widest);
  let best = Math.min(least, most);
  for (const em of [most, ...runs(widths).map(length => room.width / length)]) {
    if (em <= most && em > best && rowsAt(widths, room.width, em) <= rows) best = em;
  }
  const fits = now <= best && rowsAt(widths, room.width, now) <= rows;
  return fits && best < now * WORTH ? now : best;
}

// How many rows panels fill, one after the other.
export function rowsAt(widths, width, em) {
  return rowsOf(widths, width, em).length;
}

// The panels' widths in pixels: a row is stretched to its end, no panel to more than 1.6 times its width.
export function stretched(widths, width, em) {
  return rowsOf(widths, width, em).flatMap(row => {
    const factor = Math.min(LARGEST, width / (em * row.reduce((sum, one) => sum + one, 0)));
    return row.map(one => Math.floor(one * em * factor));
  });
}

function rowsOf(widths, width, em) {
  const rows = [[]];
  let left = width;
  for (const one of widths) {
    if (one * em > left + 1e-6 && left < width) {
      rows.push([]);
      left = width;
    }
    rows.at(-1).push(one);
    left -= one * em;
  }
  return rows;
}

// The lengths of all runs of neighbours: one of them fills a row.
function runs(widths) {
  return widths.flatMap((_, i) => widths.slice(i).map((_, j) => (
    widths.slice(i, i + j + 1).reduce((sum, one) => sum + one, 0)
  )));
}
