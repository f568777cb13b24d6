import assert from 'node:assert/strict';
import {test} from 'node:test';
import {element, openPage} from './page.mjs';

openPage();
const {Voice, makeRoom, rewrite} = await import('../../gradlab/lab/board/banner.js');

test('who cannot see the lab is told what has stayed for half a second, and once', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const voice = new Voice(), heard = () => voice.root.textContent, {writes} = voice.root;
  assert.equal(voice.root.getAttribute('role'), 'status');
  assert.equal(voice.root.getAttribute('aria-live'), 'polite');
  assert.equal(voice.root.className, 'gradlab-voice');
  voice.say('eps 1e-06');
  t.mock.timers.tick(499);
  assert.equal(heard(), '');
  voice.say('eps 1e-06'); // what is said again does not wait again
  t.mock.timers.tick(1);
  assert.equal(heard(), 'eps 1e-06');
  voice.say('eps 1e-07');
  t.mock.timers.tick(300);
  voice.say('eps 1e-08');
  t.mock.timers.tick(300);
  assert.equal(heard(), 'eps 1e-06');
  t.mock.timers.tick(200);
  assert.equal(heard(), 'eps 1e-08');
  assert.equal(voice.root.writes, writes + 2);
});

function written(html) {
  const banner = element('div');
  rewrite(banner, html);
  return banner;
}

test('of a banner that is written anew what is the same stays, and only what is not is touched', () => {
  const banner = written('<p class="verdict" title="old" lang="en"><b>wrong</b> at <i>W1</i></p>');
  const p = banner.firstElementChild, [bold, at, italic] = p.childNodes;
  rewrite(banner, '<p class="verdict" title="new" role="note"><b>wrong</b> at <i>b2</i></p>');
  assert.equal(banner.firstElementChild, p);
  assert.deepEqual(p.childNodes, [bold, at, italic]);
  assert.equal(banner.textContent, 'wrong at b2');
  assert.deepEqual([at.writes, bold.childNodes[0].writes, italic.childNodes[0].writes], [0, 0, 1]);
  assert.deepEqual([p.className, p.getAttribute('title'), p.getAttribute('role')], ['verdict', 'new', 'note']);
  assert.equal(p.hasAttribute('lang'), false);
  assert.equal(p.writes, 2, 'the class was written again');
});

test('where the elements are others they are made anew', () => {
  for (const [before, after] of [
    ['<p>one</p>', '<p>one</p><p>two</p>'], ['<p>one</p><p>two</p>', '<p>one</p>'], ['<p>one</p>', '<h1>one</h1>'],
    ['<p>one</p> or <p>two</p>', '<p>one</p> or <b>two</b>'], ['<p></p>', 'words'],
  ]) {
    const banner = written(before), first = banner.childNodes[0];
    rewrite(banner, after);
    const names = [...after.matchAll(/<(\w+)>/g)].map(([, name]) => name.toUpperCase());
    assert.deepEqual(banner.children.map(one => one.nodeName), names);
    assert.equal(banner.textContent, after.replace(/<[^>]*>/g, ''));
    assert.ok(!banner.childNodes.includes(first));
  }
});

test('a banner grows with its words, and stays so until the page is another', () => {
  const words = element('div'), banner = element('div', {}, words), room = () => banner.style.properties.get('--gradlab-words');
  for (const [scrollHeight, clientHeight, anew, wanted] of [
    [60, 60, false, undefined], [80, 60, false, '80px'], [40, 80, false, '80px'], [40, 60, true, undefined],
    [81, 80, true, '81px'],
  ]) {
    Object.assign(words, {scrollHeight, clientHeight});
    makeRoom(banner, ...(anew ? [true] : []));
    assert.equal(room(), wanted);
  }
  const empty = element('div');
  makeRoom(empty, true);
  assert.equal(empty.style.properties.size, 0);
});
