import assert from 'node:assert/strict';
import {test} from 'node:test';
import {WHOLE, isWhole, selected, zoomed} from '../../gradlab/lab/board/zoom.js';

test('a selection is a view, whichever corner came first', () => {
  const view = selected({x: 0.6, y: 0.9}, {x: 0.2, y: 0.5});
  assert.ok(Math.abs(view.x[0] - 0.2) < 1e-9 && Math.abs(view.y[1] - 0.9) < 1e-9);
  assert.ok(!isWhole(view) && isWhole(WHOLE));
});

test('zooming leaves the point where it is', () => {
  const at = {x: 0.3, y: 0.5}, view = zoomed(WHOLE, at, 0.5);
  assert.ok(Math.abs(view.x[0] - 0.15) < 1e-9 && Math.abs(view.x[1] - 0.65) < 1e-9);
});

test('out again ends at the whole, and never beyond', () => {
  let view = zoomed(WHOLE, {x: 0.9, y: 0.1}, 0.5);
  for (let i = 0; i < 3; i++) view = zoomed(view, {x: 0.9, y: 0.1}, 2);
  assert.ok(isWhole(view));
});

test('in has an end', () => {
  let view = WHOLE;
  for (let i = 0; i < 50; i++) view = zoomed(view, {x: 0, y: 1}, 0.5);
  assert.ok(view.x[1] - view.x[0] >= 1e-3 - 1e-12 && view.x[0] >= 0 && view.y[1] <= 1);
  assert.ok(selected({x: 0.5, y: 0.5}, {x: 0.5, y: 0.5}).x[1] > 0.5);
});

const near = (found, x, y) => [...x, ...y].forEach((end, i) => (
  assert.ok(Math.abs([...found.x, ...found.y][i] - end) < 1e-12, JSON.stringify(found))
));

test('the whole is from 0 to 1 on both axes, and nothing less is', () => {
  assert.deepEqual(WHOLE, {x: [0, 1], y: [0, 1]});
  for (const view of [{x: [0.1, 1], y: [0, 1]}, {x: [0, 0.9], y: [0, 1]}, {x: [0, 1], y: [0.1, 1]}, {x: [0, 1], y: [0, 0.9]}]) {
    assert.ok(!isWhole(view));
  }
});

test('a view that would leave the axes is moved into them', () => {
  near(zoomed({x: [0, 0.25], y: [0.75, 1]}, {x: 0, y: 1}, 2), [0, 0.5], [0.5, 1]);
  near(zoomed({x: [0, 0.25], y: [0.75, 1]}, {x: 0.25, y: 0.75}, 2), [0, 0.5], [0.5, 1]);
  near(selected({x: -0.5, y: 0.5}, {x: 0.5, y: 1.25}), [0, 1], [0.25, 1]);
});

test('the smallest part is a thousandth of an axis, about the middle of what was asked for', () => {
  near(selected({x: 0.5, y: 0.2}, {x: 0.5, y: 0.2004}), [0.4995, 0.5005], [0.1997, 0.2007]);
  near(selected({x: 0, y: 1}, {x: 0.002, y: 1}), [0, 0.002], [0.999, 1]);
});
