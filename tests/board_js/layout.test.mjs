import assert from 'node:assert/strict';
import {test} from 'node:test';
import {HEIGHT, emOf, rowsAt, stretched} from '../../gradlab/lab/board/layout.js';

const DEFAULT = [25, 18, 13];
const room = (width, height = 1000, em = 13) => ({width, height, em});

test('the default three stand in one row from 600 pixels on', () => {
  for (let width = 600; width < 2000; width += 7) {
    const em = emOf(DEFAULT, room(width));
    assert.equal(rowsAt(DEFAULT, width, em), 1, `${width}`);
    assert.ok(em >= 10.5 && em <= 1.6 * 13, `${width}: ${em}`);
  }
});

test('they grow with the width, as far as the height and 1.6 allow', () => {
  assert.equal(emOf(DEFAULT, room(833)), 833 / 56);
  assert.equal(emOf(DEFAULT, room(2000)), 1.6 * 13);
  assert.equal(emOf(DEFAULT, room(2000, 15 * HEIGHT)), 15);
});

test('a low window never makes them too small to read', () => {
  assert.equal(emOf(DEFAULT, room(833, 50)), 10.5);
});

test('more panels wrap, all at one size, that of the page’s text', () => {
  const five = [...DEFAULT, 20, 19];
  assert.equal(emOf(five, room(848, 400)), 13);
  assert.equal(rowsAt(five, 848, 13), 2);
});

test('larger text makes larger pictures where there is room, and else the row stays', () => {
  assert.equal(emOf(DEFAULT, room(2000, 1000, 18)), 1.6 * 18);
  assert.equal(rowsAt(DEFAULT, 833, emOf(DEFAULT, room(833, 500, 18))), 1);
});

test('one that is wider than the page shrinks', () => {
  assert.equal(emOf([40], room(200)), 5);
});

test('a scroll bar that comes and goes does not make them tremble', () => {
  const before = emOf(DEFAULT, room(833));
  const narrow = emOf(DEFAULT, room(818), before);
  assert.ok(narrow < before);
  assert.equal(emOf(DEFAULT, room(833), narrow), narrow);
  assert.ok(emOf(DEFAULT, room(900), narrow) > narrow);
});

test('nothing to show, or nowhere to show it', () => {
  assert.equal(emOf([], room(800)), 13);
  assert.equal(emOf(DEFAULT, room(0)), 13);
});

test('rows are stretched to their ends, panels to at most 1.6 times their widths', () => {
  assert.deepEqual(stretched([25, 15, 10], 1000, 15), [500, 300, 200]);
  assert.deepEqual(stretched([20, 10, 10], 450, 15), [300, 150, 240]);
});
