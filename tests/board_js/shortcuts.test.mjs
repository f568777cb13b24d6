import assert from 'node:assert/strict';
import {test} from 'node:test';
import {element, openPage} from './page.mjs';

const {page, window} = openPage();
const {fillScreen, listenTo, save, stepped, wishOf} = await import('../../gradlab/lab/board/shortcuts.js');

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
  assert.equal(wishOf(press('y', {shiftKey: true}), false), '');
});

test('the arrow keys step a whole number, and nothing else', () => {
  assert.equal(stepped('9', 'ArrowUp'), '10');
  assert.equal(stepped('0', 'ArrowDown'), '-1', 'the kernel says that this is out of range');
  assert.equal(stepped(' -3 ', 'ArrowUp'), '-2');
  assert.equal(stepped('12.7', 'ArrowUp'), null);
  assert.equal(stepped('', 'ArrowUp'), null);
  assert.equal(stepped('9', 'Enter'), null);
});

function labOf(...children) {
  const lab = element('div', {}, ...children), asked = [], gone = new AbortController();
  window.heard = [];
  listenTo(lab, wish => asked.push(wish), gone.signal);
  const key = (target, name, more) => window.happen('keydown', {...press(name), target, ...more}).done;
  return {lab, asked, gone, key};
}

const TAKEN = ['prevented', 'stopped at once'];

test('the whole lab undoes, but for fields that hold texts', () => {
  const inside = element('div'), outside = element('div');
  const ticks = ['checkbox', 'radio'].map(type => element('input', {type}));
  const texts = [element('textarea'), element('input', {type: 'text'}), element('input'), element('div', {contenteditable: 'true'})];
  const {asked, key, gone} = labOf(inside, ...ticks, ...texts);
  assert.deepEqual(window.heard.map(one => [one.type, one.capture]), [['keydown', true]], 'before what is at the document');
  for (const one of [inside, ...ticks]) assert.deepEqual(key(one, 'z'), TAKEN);
  assert.deepEqual(asked, ['undo', 'undo', 'undo']);
  for (const one of [outside, ...texts]) assert.deepEqual(key(one, 'z'), []);
  assert.deepEqual(key(inside, 'x'), []);
  gone.abort();
  assert.deepEqual(key(inside, 'z'), []);
  assert.equal(asked.length, 3);
});

test('an arrow key in a whole number’s field changes it, and the page is told', () => {
  const whole = element('input'), plain = element('input'), label = element('span');
  Object.assign(whole, {value: '9'});
  Object.assign(plain, {value: '9'});
  const {lab, asked, key} = labOf(element('div.gradlab-whole', {}, whole, label), plain);
  const changes = [];
  lab.addEventListener('change', ({target}) => changes.push(target.value));
  assert.deepEqual(key(whole, 'ArrowUp', {ctrlKey: false}), TAKEN);
  assert.deepEqual([whole.value, changes], ['10', ['10']]);
  assert.deepEqual(key(plain, 'ArrowUp', {ctrlKey: false}), []);
  assert.deepEqual(key(label, 'ArrowUp', {ctrlKey: false}), []);
  assert.deepEqual(key(whole, 'Enter', {ctrlKey: false}), []);
  assert.deepEqual([plain.value, changes.length, asked], ['9', 1, []]);
});

test('a button fills the screen with the lab, and empties it again', () => {
  const icon = element('i'), other = element('button');
  const {lab, gone} = labOf(element('button.gradlab-fullscreen', {}, icon), other);
  const calls = [];
  lab.requestFullscreen = () => {
    calls.push('fill');
    return Promise.reject(new Error('not allowed'));
  };
  page.exitFullscreen = () => calls.push('empty');
  for (const [full, target, wanted] of [[null, other, []], [null, icon, ['fill']], [other, icon, ['fill']], [lab, icon, ['empty']]]) {
    page.fullscreenElement = full;
    calls.length = 0;
    target.happen('click');
    assert.deepEqual(calls, wanted);
  }
  calls.length = 0;
  fillScreen(lab);
  assert.deepEqual(calls, [], 'it is full already');
  page.fullscreenElement = null;
  fillScreen(element('div')); // a browser that cannot
  gone.abort();
  icon.happen('click');
  assert.deepEqual(calls, []);
});

test('a file is handed to the browser, and its memory given back after a minute', async t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const links = [], made = [], revoked = [];
  t.mock.method(page, 'createElement', tag => {
    links.push(Object.assign(element(tag), {click() { this.clicked = [this.download, this.href]; }}));
    return links.at(-1);
  });
  t.mock.method(URL, 'createObjectURL', blob => {
    made.push(blob);
    return 'blob:1';
  });
  t.mock.method(URL, 'revokeObjectURL', url => revoked.push(url));
  save('lab.svg', 'image/svg+xml', 'a picture');
  assert.deepEqual(links.map(link => [link.nodeName, link.clicked]), [['A', ['lab.svg', 'blob:1']]]);
  assert.deepEqual([made[0].type, await made[0].text()], ['image/svg+xml', 'a picture']);
  t.mock.timers.tick(59_999);
  assert.deepEqual(revoked, []);
  t.mock.timers.tick(1);
  assert.deepEqual(revoked, ['blob:1']);
});
