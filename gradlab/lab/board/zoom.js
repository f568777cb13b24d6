// Which part of the axes is shown: {x: [from, to], y: [from, to]}, in shares.
export const WHOLE = {x: [0, 1], y: [0, 1]};
const CLOSEST = 1e-3; // the smallest share that is shown

export const isWhole = view => [...view.x, ...view.y].every((end, i) => end === i % 2);

// Makes a view `factor` times as large, and leaves the point `at` where it is.
export function zoomed(view, at, factor) {
  const along = ([from, to], share) => kept([share + (from - share) * factor, share + (to - share) * factor]);
  return {x: along(view.x, at.x), y: along(view.y, at.y)};
}

// The view between two corners.
export function selected(one, other) {
  const along = key => kept([Math.min(one[key], other[key]), Math.max(one[key], other[key])]);
  return {x: along('x'), y: along('y')};
}

// Inside the axes, and not without an end: a float has its digits.
function kept([from, to]) {
  const size = Math.min(1, Math.max(CLOSEST, to - from));
  const middle = Math.min(1 - size / 2, Math.max(size / 2, (from + to) / 2));
  return size === 1 ? [0, 1] : [middle - size / 2, middle + size / 2];
}
