import assert from 'node:assert/strict';
import {test} from 'node:test';
import {element, openPage} from './page.mjs';

const {page} = openPage();
const {keepNamed, mark} = await import('../../gradlab/lab/board/names.js');

// Controls as ipywidgets makes them.
const label = text => element('div.widget-label', {}, text);
const handle = () => element('div.noUi-handle');
const slider = (text, value, ...more) => element(
  'div.widget-inline-hbox.widget-slider', {}, label(text), element('div.slider', {}, handle()), element('div.widget-readout', {}, value), ...more,
);

function named(...controls) {
  const lab = element('div', {}, ...controls), also = [], stop = keepNamed(lab, one => also.push(one));
  return {lab, also, stop, find: list => lab.querySelector(list), watcher: MutationObserver.all.at(-1)};
}

const told = (control, ...names) => names.map(name => control.getAttribute(name));

test('a slider’s handle has its name and its value as Python writes it, its number is a field with a name', () => {
  const {find} = named(slider('step eps', '1.0e-6'));
  assert.deepEqual(
    told(find('.noUi-handle'), 'aria-label', 'aria-valuetext', 'aria-disabled', 'data-lm-suppress-shortcuts'),
    ['step eps', '1.0e-06', 'false', 'true'],
  );
  const number = find('.widget-readout');
  assert.deepEqual(told(number, 'role', 'aria-label'), ['textbox', 'step eps, typed value']);
  assert.equal(number.textContent, '1.0e-06');
});

test('a slider that is off says so, one without a name has an empty one', () => {
  const off = element(
    'div.widget-slider', {}, element('div.slider', {disabled: 'true'}, handle()), element('div.widget-readout', {}, '3'),
  );
  const {find} = named(off);
  assert.deepEqual(told(find('.noUi-handle'), 'aria-disabled', 'aria-label'), ['true', '']);
});

test('a slider without a number, or without a handle, is left alone', () => {
  const bare = element('div.widget-slider', {}, label('one'), handle());
  const empty = element('div.widget-slider', {}, label('one'), element('div.widget-readout', {}, '1e-6'));
  const {find, lab} = named(bare, empty);
  assert.equal(find('.noUi-handle').getAttribute('aria-label'), null);
  assert.equal(find('.widget-readout').getAttribute('role'), null);
  assert.equal(lab.children.length, 2);
});

test('fields have their labels’ names, unless the page names them itself', () => {
  const row = (field, text) => element('div.widget-inline-hbox', {}, ...(text ? [label(text)] : []), field);
  const fields = ['select', 'input', 'textarea'].map(name => element(name));
  const [own, nameless, lonely] = [element('input'), element('input'), element('input')];
  own.labels = ['its own'];
  nameless.labels = [];
  const box = element('div.widget-checkbox', {}, label('ticked'), nameless);
  const {find} = named(...fields.map(field => row(field, 'a name')), row(own, 'another'), box, row(lonely, ''), element('input.outside'));
  for (const field of fields) assert.equal(field.getAttribute('aria-label'), 'a name');
  assert.equal(nameless.getAttribute('aria-label'), 'ticked');
  for (const field of [own, lonely, find('.outside')]) assert.equal(field.getAttribute('aria-label'), null);
  assert.deepEqual(told(fields[0], 'data-lm-suppress-shortcuts'), ['true']);
  assert.deepEqual(told(fields[1], 'data-lm-suppress-shortcuts'), [null]);
});

test('a button that stays down says whether it is, and a bar what it is for', () => {
  const bar = element('div.widget-hprogress', {}, label('training'), element('div.progress'));
  const nameless = element('div.widget-hprogress', {}, element('div.progress'));
  const {lab} = named(element('button.widget-toggle-button.mod-active'), element('button.widget-toggle-button'), bar, nameless);
  const all = (list, ...names) => lab.querySelectorAll(list).map(one => told(one, ...names));
  assert.deepEqual(all('button', 'aria-pressed'), [['true'], ['false']]);
  assert.deepEqual(all('.progress', 'role', 'aria-label'), [['progressbar', 'training'], ['progressbar', '']]);
});

test('a mark is written when it is another', () => {
  const one = element('div');
  for (const [value, writes] of [['a', 1], ['a', 1], ['b', 2]]) {
    mark(one, 'role', value);
    assert.equal(one.writes, writes);
  }
});

test('a value that comes from the kernel or was typed is not snapped to the slider’s steps', () => {
  const calls = [], target = element('div.noUi-target'), bare = element('div.noUi-target');
  target.noUiSlider = {set: (...args) => calls.push(args)};
  const {watcher} = named(target, bare);
  target.noUiSlider.set(0.5, true);
  const {set} = target.noUiSlider;
  keepNamed(target.parent, () => {})();
  assert.equal(target.noUiSlider.set, set, 'it is taken once');
  assert.deepEqual(calls, [[0.5, true, true]]);
  assert.ok(watcher.seen.length);
});

test('what ipywidgets writes is put right at once, what it makes once all is still', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {lab, also, stop, find, watcher} = named(slider('step eps', '1.0e-6'), element('div.other', {}, '1e-7'));
  const [{target, ...options}] = watcher.seen;
  assert.equal(target, lab);
  assert.deepEqual(options, {
    subtree: true, childList: true, characterData: true, attributeFilter: ['aria-valuenow', 'class'],
  });
  assert.deepEqual(also, [lab]);
  const number = find('.widget-readout');
  number.textContent = '1.0e-7';
  const changes = [number, find('.other'), number.childNodes[0]].map(one => ({target: one}));
  watcher.callback(changes);
  assert.equal(number.textContent, '1.0e-07');
  assert.equal(find('.other').textContent, '1e-7', 'others’ texts are theirs');
  const {writes} = number;
  t.mock.timers.tick(99);
  watcher.callback([{target: number}]);
  assert.equal(number.writes, writes);
  t.mock.timers.tick(99);
  assert.equal(find('.noUi-handle').getAttribute('aria-valuetext'), '1.0e-06');
  t.mock.timers.tick(1);
  assert.equal(find('.noUi-handle').getAttribute('aria-valuetext'), '1.0e-07');
  assert.equal(also.length, 2);
  watcher.callback([]);
  stop();
  t.mock.timers.tick(999);
  assert.equal(also.length, 2);
  assert.deepEqual(watcher.seen, []);
});

test('a number that somebody types is left as it is', () => {
  const {find, watcher} = named(slider('step eps', '1.0e-6'));
  const number = find('.widget-readout');
  page.activeElement = number;
  number.textContent = '1e-7';
  watcher.callback([{target: number}]);
  assert.equal(number.textContent, '1e-7');
  page.activeElement = null;
});
