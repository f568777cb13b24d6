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
