import assert from 'node:assert/strict';
import {test} from 'node:test';
import {stepped, wishOf} from '../../gradlab/lab/board/shortcuts.js';

const press = (key, more = {}) => ({key, ctrlKey: true, metaKey: false, altKey: false, shiftKey: false, ...more});

test('undo and redo, as everywhere', () => {
  assert.equal(wishOf(press('z'), false), 'undo');
  assert.equal(wishOf(press('Z', {shiftKey: true}), false), 'redo');
  assert.equal(wishOf(press('y'), false), 'redo');
  assert.equal(wishOf(press('z', {ctrlKey: false, metaKey: true}), false), 'undo');
});

test('all else is none of the lab’s', () => {
  assert.equal(wishOf(press('z'), true), '', 'a text field undoes its own text');
  assert.equal(wishOf(press('z', {ctrlKey: false}), false), '');
  assert.equal(wishOf(press('z', {altKey: true}), false), '');
  assert.equal(wishOf(press('s'), false), '');
});

test('the arrow keys step a whole number, and nothing else', () => {
  assert.equal(stepped('9', 'ArrowUp'), '10');
  assert.equal(stepped('0', 'ArrowDown'), '-1', 'the kernel says that this is out of range');
  assert.equal(stepped('12.7', 'ArrowUp'), null);
  assert.equal(stepped('', 'ArrowUp'), null);
  assert.equal(stepped('9', 'Enter'), null);
});
