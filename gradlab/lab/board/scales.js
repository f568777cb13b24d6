// The axes of a chart: from data to shares of an axis and back, and where ticks stand.
//
// A share is 0 at the low end and 1 at the high end, evenly in the axis's own scale. The kernel sends shares,
// and the ticks of a whole axis; those of a part of it, seen larger, are found here.
const MOST_TICKS = 7;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const scaled = ({log}, value) => (log ? Math.log10(Math.max(value, 1e-300)) : value);

export function toData(axis, share) {
  const low = scaled(axis, axis.low), high = scaled(axis, axis.high);
  const at = low + share * (high - low);
  return axis.log ? 10 ** at : at;
}

export function toShare(axis, value) {
  const low = scaled(axis, axis.low), high = scaled(axis, axis.high);
  return (scaled(axis, value) - low) / (high - low || 1);
}

// From shares of one axis to shares of another; null where one is logarithmic and the other is not.
export function between(from, to) {
  if (from.log !== to.log) return null;
  const start = toShare(to, from.low), end = toShare(to, from.high);
  return share => start + share * (end - start);
}

export function powerOfTen(exponent) {
  return exponent === 0 ? '1' : '10' + [...String(exponent)].map(c => SUPERSCRIPTS[c] ?? '⁻').join('');
}

// A number as a tick says it: "0.02", "−3", "10⁻⁷", "2·10⁻⁷".
export function written(value) {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  if (exponent >= -3 && exponent < 5) return String(Number(value.toPrecision(6))).replace('-', '−');
  const factor = Number((value / 10 ** exponent).toPrecision(6));
  const power = powerOfTen(exponent);
  return factor === 1 ? power : `${factor}·${power}`.replace('-', '−');
}

// "1.0e-5" as Python has it, and the banner: "1.0e-05".
export function asInPython(text) {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

// A number as it is said aloud.
export function spoken(value) {
  const size = Math.abs(value);
  const far = size !== 0 && (size < 1e-3 || size >= 1e5);
  return far ? asInPython(value.toExponential(1)) : String(Number(value.toPrecision(3)));
}

// Ticks as [share, text] within a view [from, to] of an axis.
export function ticksOf(axis, [from, to]) {
  const whole = from === 0 && to === 1;
  const known = (axis.ticks ?? []).filter(([share]) => share >= from - 1e-6 && share <= to + 1e-6);
  if (whole || !axis.free) return known;
  const ends = [toData(axis, from), toData(axis, to)].sort((a, b) => a - b);
  const values = axis.log ? logarithmic(...ends) : linear(...ends);
  return values.map(value => [toShare(axis, value), written(value)]);
}

export function logarithmic(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first >= 2) {
    const stride = Math.ceil((last - first + 1) / MOST_TICKS);
    return range(first, last).filter(e => e % stride === 0).map(e => Number(`1e${e}`));
  }
  const found = range(first - 1, last).flatMap(e => [1, 2, 5].map(m => Number(`${m}e${e}`)));
  const inside = found.filter(value => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  return inside.length >= 2 ? inside : linear(low, high);
}

export function linear(low, high) {
  const size = high - low;
  if (!(size > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(size));
  const strides = [0.2, 0.5, 1, 2].map(factor => factor * power);
  const stride = strides.find(one => size / one < MOST_TICKS);
  return range(Math.ceil(low / stride - 1e-9), Math.floor(high / stride + 1e-9)).map(k => k * stride);
}

function range(first, last) {
  return Array.from({length: last - first + 1}, (_, i) => first + i);
}
