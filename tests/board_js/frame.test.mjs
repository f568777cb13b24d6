import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Place, frameOf, legendRows} from '../../gradlab/lab/board/frame.js';
import {WHOLE} from '../../gradlab/lab/board/zoom.js';

const EM = 10;
const measure = (text, size) => text.length * size * 0.6 * EM;
const axis = more => ({low: 0, high: 1, log: false, free: true, label: '', ticks: [], ...more});
const chart = more => ({
  x: axis(), y: axis(), legend: [], framed: true, square: false, right: 0, bottom: 0, note: '', ...more,
});
const frame = (more, view = WHOLE) => frameOf(chart(more), [300, 210], EM, measure, view);

test('the axes leave room for what is written around them', () => {
  const bare = frame({}).box;
  const full = frame({
    x: axis({label: 'step', ticks: [[0, '0']]}), y: axis({label: 'error', ticks: [[0, '10⁻¹⁶']]}), note: 'a note',
    legend: [{text: 'W1', sign: '', colour: 'ink', dash: []}], right: 5,
  }).box;
  assert.ok(full.x > bare.x && full.y > bare.y);
  assert.ok(full.x + full.width <= bare.x + bare.width - 5 * EM);
  assert.ok(full.height < bare.height - 3 * EM);
});

test('every text stands inside the panel, below each other', () => {
  const {box, tickRow, labelRow, noteRow} = frame({
    x: axis({label: 'step', ticks: [[0, '0']]}), note: 'a note',
  });
  const rows = [box.y + box.height, tickRow, labelRow, noteRow, 210];
  assert.deepEqual(rows, [...rows].sort((a, b) => a - b));
});

test('a legend wraps, and stands between title and axes', () => {
  const entry = {text: 'predicted best', sign: '', colour: 'ink', dash: []};
  const rows = legendRows([entry, entry, entry], 200, EM, measure);
  assert.deepEqual(rows.map(row => row.length), [2, 1]);
  const {box, legend} = frame({legend: [entry, entry, entry]});
  assert.equal(legend.length, 3);
  for (const one of legend) assert.ok(one.y < box.y && one.y > 1.5 * EM && one.x >= box.x);
});

test('a square chart has units of one length', () => {
  const {box} = frame({square: true, x: axis({high: 2})});
  assert.ok(Math.abs(box.width - 2 * box.height) < 1e-9);
});

test('a place turns shares into pixels and back, zoomed or not', () => {
  const box = {x: 30, y: 20, width: 200, height: 100};
  for (const view of [WHOLE, {x: [0.25, 0.5], y: [0.5, 1]}]) {
    const place = new Place(box, view, EM);
    const at = place.shares(place.x(view.x[0] + 0.1), place.y(view.y[0] + 0.2));
    assert.ok(Math.abs(at.x - view.x[0] - 0.1) < 1e-9 && Math.abs(at.y - view.y[0] - 0.2) < 1e-9);
  }
});

test('a click beside the axes counts, one on the title does not', () => {
  const place = new Place({x: 30, y: 40, width: 200, height: 100}, WHOLE, EM);
  assert.deepEqual(place.shares(27, 90), {x: 0, y: 0.5});
  assert.equal(place.shares(100, 10), null);
  assert.equal(place.shares(280, 90), null);
  assert.deepEqual(place.shares(280, 90, 8), {x: 1, y: 0.5});
});
