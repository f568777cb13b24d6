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

// Five pixels a letter, in the size that ticks, legend and note have.
const five = (text, size) => text.length * 5 * size / 0.82;
const exact = (more, view = WHOLE) => frameOf(chart(more), [300, 210], EM, five, view);
const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-9, `${one} is not ${other}`);
const isBox = (found, x, y, width, height) => ['x', 'y', 'width', 'height'].forEach((key, i) => (
  near(found[key], [x, y, width, height][i])
));

test('the room around the axes, in em: edges, labels, ticks, title, legend and note', () => {
  const bare = exact({});
  isBox(bare.box, 6, 17, 288, 188);
  assert.deepEqual([bare.width, bare.edge, bare.legend], [300, 6, []]);
  near(bare.labelRow, 205 + 5.5);
  near(bare.noteRow, 205 + 6);
  const ticks = [[0, '0'], [1, '1']];
  isBox(exact({x: axis({ticks})}).box, 6, 17, 288, 188 - 13.5);
  isBox(exact({x: axis({label: 'step'})}).box, 6, 17, 288, 188 - 11.5);
  isBox(exact({y: axis({ticks: [[0, 'four'], [1, '1']]})}).box, 6 + 24, 17, 288 - 24, 188);
  isBox(exact({y: axis({label: 'error'})}).box, 6 + 11.5, 17, 288 - 11.5, 188);
  isBox(exact({note: 'a note', right: 3, bottom: 2}).box, 6, 17, 258, 188 - 11.5 - 20);
  isBox(exact({framed: false, x: axis({ticks}), y: axis({ticks})}).box, 6, 17, 288, 188);
  const all = exact({
    x: axis({ticks, label: 'step'}), y: axis({ticks: [[0, '10⁻¹⁶']], label: 'error'}), note: 'a note', right: 5, bottom: 2,
    legend: [{text: 'W1', sign: ''}],
  });
  isBox(all.box, 46.5, 31, 197.5, 117.5);
  for (const [row, wanted] of [['tickRow', 7.5], ['labelRow', 13.5 + 5.5], ['noteRow', 13.5 + 11.5 + 20 + 6]]) {
    near(all[row], 31 + 117.5 + wanted);
  }
  const [{x, textAt, y}] = all.legend;
  near(x, 6);
  near(textAt, 6 + 15 + 3.5);
  near(y, 17 + 11.5 * 0.45 - 1);
});

test('a legend’s second row begins anew, below the first', () => {
  const legend = Array.from({length: 7}, () => ({text: '12345678', sign: ''}));
  const {legend: found, box} = exact({legend}); // each 58.5 wide with its line, 9 between them, 288 in all
  const rows = found.map(({x, y, textAt}) => [x, y, textAt]);
  for (const [i, [x, y, textAt]] of rows.entries()) {
    near(x, 6 + (i % 4) * 67.5);
    near(textAt, x + 18.5);
    near(y, 17 + 11.5 * (0.45 + (i < 4 ? 0 : 1)) - 1);
  }
  near(box.y, 17 + 2 * 11.5 + 2.5);
});

test('a legend’s rows are as wide as the panel between its edges', () => {
  const rows = letters => new Set(exact({legend: [24, letters].map(n => ({text: 'w'.repeat(n), sign: ''}))}).legend.map(one => one.y)).size;
  assert.equal(rows(24), 1); // 138.5 + 9 + 138.5 of 288
  assert.equal(rows(25), 2);
});

test('a legend’s row is filled to its end', () => {
  const line = {text: 'four', sign: ''}, sign = {text: 'ab', sign: '•'}, only = {text: '', sign: '•'};
  const rows = (legend, width) => legendRows(legend, width, EM, five).map(row => row.map(({x, textAt}) => [x, textAt]));
  assert.deepEqual(rows([line, line, line], 86), [[[0, 18.5], [47.5, 66]], [[0, 18.5]]]);
  assert.equal(rows([line, line], 85.9).length, 2);
  assert.deepEqual(rows([line], 10), [[[0, 18.5]]], 'what fits nowhere has a row of its own');
  assert.deepEqual(rows([only, only, sign, line], 90), [[[0, 8.5], [8, 16.5], [16, 24.5], [43.5, 62]]]);
});

test('a unit of a square chart is as long upwards as along, of the part that is seen', () => {
  const square = (x, y, view) => exact({square: true, x: axis({free: false, ...x}), y: axis({free: false, ...y})}, view).box;
  isBox(square({low: 1, high: 3}, {low: -1, high: 1}), 6, 17, 188, 188);
  isBox(square({low: 1, high: 3}, {low: -1, high: 0}), 6, 17, 288, 144);
  isBox(square({low: 1, high: 3}, {low: -1, high: 1}, {x: [0.25, 0.5], y: [0, 1]}), 6, 17, 47, 188);
  isBox(square({low: 1, high: 3}, {low: -1, high: 1}, {x: [0, 1], y: [0.75, 1]}), 6, 17, 288, 72);
  isBox(square({low: 2, high: 2}, {low: 0, high: 2}), 6, 17, 94, 188, 'an axis of one value counts as a unit');
  isBox(square({low: 0, high: 2}, {low: 2, high: 2}), 6, 17, 288, 144);
});

test('a view’s part of an axis fills all of it', () => {
  const place = new Place({x: 30, y: 20, width: 200, height: 100}, {x: [0.25, 0.75], y: [0.5, 1]}, EM);
  assert.deepEqual([place.x(0.25), place.x(0.5), place.x(0.75)], [30, 130, 230]);
  assert.deepEqual([place.y(0.5), place.y(0.75), place.y(1)], [120, 70, 20]);
  assert.deepEqual(place.nearest(130, 70), {x: 0.5, y: 0.75});
  assert.deepEqual(place.nearest(-99, 999), {x: 0.25, y: 0.5});
  assert.deepEqual(place.nearest(999, -99), {x: 0.75, y: 1});
});

test('the axes are hit to six tenths of an em beside them, and to their ticks’ texts below', () => {
  const place = new Place({x: 30, y: 40, width: 200, height: 100}, WHOLE, EM);
  for (const [x, y, right, hit] of [
    [24, 90, 0, false], [24.1, 90, 0, true], [235.9, 90, 0, true], [236, 90, 0, false], [315.9, 90, 8, true], [316, 90, 8, false],
    [100, 34, 0, false], [100, 34.1, 0, true], [100, 155.9, 0, true], [100, 156, 0, false],
  ]) assert.equal(place.shares(x, y, right) !== null, hit, `${x}, ${y}`);
  assert.equal(place.shares(236, 90), null);
});
