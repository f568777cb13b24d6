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

test('a row that is exactly full is one row', () => {
  assert.equal(rowsAt([10, 10, 10], 300, 10), 1);
  assert.equal(rowsAt([10, 10, 10], 299, 10), 2);
  assert.equal(rowsAt([40, 40], 300, 10), 2, 'one that is too wide has a row, and no empty one before it');
  assert.equal(rowsAt([], 300, 10), 1);
});

test('in a window too low for it a picture keeps what can be read, or the page’s own size', () => {
  assert.equal(emOf([20], room(2000, 21 * 12)), 12);
  assert.equal(emOf([20], room(2000, 21 * 9)), 10.5);
  assert.equal(emOf([20, 20, 20], room(500, 21 * 9)), 13, 'of several rows');
  assert.equal(emOf([30, 30], room(330, 21 * 9)), 11, 'or what is as wide as the page');
});

test('several rows share the window’s height, and are as wide as their longest allows', () => {
  const four = [20, 20, 20, 20];
  assert.equal(emOf(four, room(800, 5000, 20)), 20, 'as large as the page’s text');
  assert.equal(emOf(four, room(700, 2 * 21 * 15, 13)), 15, 'as high as the window');
  assert.equal(emOf(four, room(700, 5000, 13)), 700 / 40, 'as wide as two');
  assert.equal(rowsAt(four, 700, 700 / 40), 2);
});

test('an em of before stays while it fits and no more than a fortieth would be gained', () => {
  const best = emOf([20], room(300, 5000));
  assert.equal(best, 15);
  for (const [now, wanted] of [[14.7, 14.7], [14.6, 15], [15, 15], [15.2, 15], [0, 15]]) {
    assert.equal(emOf([20], room(300, 5000), now), wanted, `${now}`);
  }
});
