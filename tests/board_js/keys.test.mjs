import assert from 'node:assert/strict';
import {test} from 'node:test';
import {wishOf} from '../../gradlab/lab/board/keys.js';

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
