import assert from 'node:assert/strict';
import {test} from 'node:test';

// As much of a page as a panel needs that is never painted.
globalThis.document = {createElement: () => {
  const classes = new Set();
  return {
    style: {}, dataset: {}, classes, setAttribute() {}, append() {},
    classList: {toggle: (name, on) => (on ? classes.add(name) : classes.delete(name))},
  };
}};
const {Panel} = await import('../../gradlab/lab/board/panel.js');

const CHART = {marks: [], bytes: null}, DOTS = [{kind: 'dots'}];
const made = () => new Panel('measures', {title: 'A title', hint: '', zooms: false}, () => {}, () => {});

test('a panel that takes turns stays as it is, one that gets nothing pales, and comes back', () => {
  const panel = made(), pale = () => panel.root.classes.has('gradlab-stale');
  panel.take(CHART);
  for (let frame = 0; frame < 20; frame++) {
    panel.draw(frame % 3 === 0 ? DOTS : undefined, null, false);
    assert.ok(!pale());
  }
  for (let frame = 0; frame < 8; frame++) panel.draw(undefined, null, false);
  assert.ok(pale());
  panel.draw(DOTS, null, true);
  assert.ok(!pale());
});

test('marks of the axes of before are not drawn on a chart that comes without its own', () => {
  const panel = made();
  panel.take(CHART);
  panel.draw(DOTS, null, false);
  panel.draw(undefined, null, false);
  assert.equal(panel.moving, DOTS);
  panel.take({...CHART});
  panel.draw(undefined, null, false);
  assert.deepEqual(panel.moving, []);
});
