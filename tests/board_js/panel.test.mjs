import assert from 'node:assert/strict';
import {test} from 'node:test';
import {openPage} from './page.mjs';

const {window} = openPage();
const {Panel} = await import('../../gradlab/lab/board/panel.js');

const CHART = {marks: [], bytes: null}, DOTS = [{kind: 'dots'}];
const made = () => new Panel('measures', {title: 'A title', hint: '', zooms: false}, () => {}, () => {});

test('a panel that takes turns stays as it is, one that gets nothing pales, and comes back', () => {
  const panel = made(), pale = () => panel.root.classList.contains('gradlab-stale');
  panel.draw(undefined, null, false);
  panel.take(CHART);
  for (let frame = 0; frame < 20; frame++) {
    panel.draw(frame % 3 === 0 ? DOTS : undefined, null, false);
    assert.ok(!pale());
  }
  panel.draw(DOTS, null, false);
  for (let frame = 0; frame < 6; frame++) panel.draw(undefined, null, false);
  assert.ok(!pale());
  panel.draw(undefined, null, false);
  assert.ok(pale());
  panel.draw(DOTS, null, true);
  assert.ok(!pale());
});

test('where there is nothing to show the panel says why, and does not pale', () => {
  const panel = made();
  panel.take({says: 'no network'});
  assert.equal(panel.words.textContent, 'A title: no network');
  for (let frame = 0; frame < 9; frame++) panel.draw(undefined, null, false);
  assert.ok(!panel.root.classList.contains('gradlab-stale'));
  panel.take(CHART);
  assert.equal(panel.words.textContent, '');
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

// -- a panel on the page: 300 by 210 pixels at (100, 50), its axes 276.5 by 176.5 at (17.5, 17) -----------

const THEME = {ink: '#111111', paper: '#fefefe', faint: '#888888'};
const BOX = {x: 17.5, y: 17, width: 276.5, height: 176.5}; // of 10 pixels a letter: a row is 1.15 of them
const axis = more => ({low: 0, high: 1, log: false, free: true, label: '', ticks: [], ...more});
const X = axis({low: 1e-10, high: 1, log: true, label: 'step'}), Y = axis({low: -3, high: 1, label: 'error'});
const framed = more => ({
  title: '', aside: '', note: '', legend: [], framed: true, square: false, right: 0, bottom: 0, x: X, y: Y, marks: [],
  bytes: null, ...more,
});

function onPage(chart = framed(), about = {hint: 'Click to go there.', zooms: true}) {
  const clicked = [], said = [];
  const panel = new Panel(
    'u_curve', {title: 'A title', width: 30, ...about}, (...where) => clicked.push(where), text => said.push(text),
  );
  panel.root.box = {x: 100, y: 50};
  panel.take(chart);
  panel.resize(10, 300, THEME);
  panel.paint();
  const at = (x, y) => ({clientX: 100 + BOX.x + x * BOX.width, clientY: 50 + BOX.y + (1 - y) * BOX.height});
  const mouse = (type, x, y, more) => panel.root.happen(type, {...at(x, y), button: 0, detail: 1, pointerId: 7, ...more});
  const press = (key, more) => panel.root.happen('keydown', {key, ...more});
  const last = () => panel.canvas.recorded.calls.slice(panel.canvas.recorded.calls.findLastIndex(c => c.name === 'drawImage'));
  const still = () => panel.paper.recorded.of('fillRect').length; // how often the sheet was drawn
  return {panel, clicked, said, mouse, press, last, still};
}

const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-9, `${one} is not ${other}`);
const isView = ({view}, x, y) => [...x, ...y].forEach((end, i) => near([...view.x, ...view.y][i], end));

test('who listens is told what the picture is, and what keys and hands do on it', () => {
  const {panel: {root, canvas}} = onPage();
  assert.equal(root.getAttribute('role'), 'img');
  assert.equal(root.getAttribute('aria-label'), 'A title');
  assert.equal(root.dataset.panel, 'u_curve');
  assert.equal(canvas.getAttribute('aria-hidden'), 'true');
  const parts = [root, ...root.children].map(one => one.className); // what the style sheet calls them
  assert.deepEqual(parts, ['gradlab-panel', 'gradlab', 'gradlab-says']);
  assert.equal(root.title, 'Click to go there. Select an area to enlarge it, double click to see all.');
  assert.equal(
    root.getAttribute('aria-description'),
    'arrow keys move a cross, Enter chooses there; plus and minus enlarge and reduce, 0 shows all',
  );
  assert.equal(root.tabIndex, 0);
  assert.equal(root.dataset.lmSuppressShortcuts, 'true');
  const clicks = onPage(framed(), {hint: 'Click.', zooms: false}).panel.root;
  assert.equal(clicks.title, 'Click.');
  assert.equal(clicks.getAttribute('aria-description'), 'arrow keys move a cross, Enter chooses there');
  assert.deepEqual(onPage(framed(), {hint: '', zooms: false}).panel.root.heard, []);
  assert.match(onPage(framed(), {hint: '', zooms: true}).panel.root.title, /^Select/);
});

test('the words for who listens are written when they are others', () => {
  const {panel} = onPage(), before = panel.root.writes;
  panel.tell('the error is 1');
  panel.tell('the error is 1');
  assert.equal(panel.root.getAttribute('aria-label'), 'the error is 1');
  assert.equal(panel.root.writes, before + 1);
});

test('a picture has a pixel for each of the screen’s, from one to four', () => {
  for (const [ratio, wanted] of [[1, 1], [1.5, 1.5], [0.5, 1], [3, 3], [8, 4]]) {
    window.devicePixelRatio = ratio;
    const {panel} = onPage();
    assert.deepEqual([panel.root.style.width, panel.root.style.height], ['300px', '210px']);
    assert.deepEqual([panel.canvas.width, panel.canvas.height], [300 * wanted, 210 * wanted]);
    assert.deepEqual([panel.paper.width, panel.paper.height], [300 * wanted, 210 * wanted]);
    const transforms = panel.canvas.recorded.of('setTransform').map(call => call.args);
    assert.deepEqual(transforms, [[wanted, 0, 0, wanted, 0, 0], [1, 0, 0, 1, 0, 0]]);
  }
  window.devicePixelRatio = 1;
});

test('a size, a theme or a screen that stays asks for nothing, another one for a new picture', () => {
  const {panel} = onPage(), paper = panel.paper;
  panel.resize(10, 300, THEME);
  assert.ok(!panel.waits && panel.paper === paper);
  for (const change of [
    () => panel.resize(11, 300, THEME), () => panel.resize(11, 320, THEME), () => panel.resize(11, 320, {...THEME}),
    () => { window.devicePixelRatio = 2; panel.resize(11, 320, panel.theme); },
  ]) {
    change();
    assert.ok(panel.waits);
    panel.paint();
    assert.ok(!panel.waits);
  }
  assert.deepEqual(panel.size, [320, 231]);
  window.devicePixelRatio = 1;
});

test('a chart is drawn once on its sheet, and what moves anew over a copy of it', () => {
  const {panel, last, still} = onPage();
  const fill = panel.paper.recorded.of('fillRect')[0];
  assert.deepEqual([fill.fillStyle, fill.args], ['#fefefe', [0, 0, 301, 211]]);
  const dot = {kind: 'dots', x: [0, 1], y: [4, 1], colours: ['ink'], ends: [1], radius: 2, edge: null, sign: 'square'};
  const numbers = {floats: ([start]) => [start ? 0.25 : 0.5]};
  panel.draw([dot], numbers, false);
  const [copy, restored, ...after] = last();
  assert.deepEqual([copy.args, still()], [[panel.paper, 0, 0], 1]);
  assert.equal(restored.name, 'restore', 'pixel by pixel is the copy alone');
  const [, {args: [x, y, size]}] = after.filter(call => call.name === 'rect');
  near(x + size / 2, BOX.x + 0.5 * BOX.width);
  near(y + size / 2, BOX.y + 0.75 * BOX.height);
  const frames = panel.canvas.recorded.of('drawImage').length;
  panel.draw(undefined, null, false);
  assert.equal(panel.canvas.recorded.of('drawImage').length, frames, 'nothing is new: nothing is drawn');
  panel.draw([], numbers, false);
  assert.equal(last().filter(call => call.name === 'rect').length, 0, 'what moved is gone');
  panel.draw([], numbers, false);
  assert.equal(panel.canvas.recorded.of('drawImage').length, frames + 1);
  assert.equal(still(), 1);
  panel.take(framed({title: 'new'}));
  panel.draw([dot], numbers, false);
  assert.equal(still(), 2);
});

test('texts around the axes are measured in the letters that they are written in', () => {
  const {panel} = onPage(framed({y: {...Y, ticks: [[0.5, '10⁻⁷']]}}));
  const [{args, font}] = panel.paper.recorded.of('measureText');
  assert.deepEqual([args, Number.parseFloat(font)], [['10⁻⁷'], 8.2]);
});

test('a chart or a ghost that came before is not drawn again', () => {
  const chart = framed(), ghost = {x: X, y: Y, marks: []};
  const {panel, still} = onPage(chart);
  for (const take of [() => panel.take(chart), () => panel.haunt(undefined, null)]) {
    take();
    assert.ok(!panel.waits);
  }
  for (const one of [ghost, undefined, {...ghost}]) {
    panel.haunt(one, 'its numbers');
    assert.ok(panel.waits);
    assert.equal(panel.ghost?.numbers, one && 'its numbers');
    panel.paint();
    panel.haunt(one, 'its numbers');
    assert.ok(!panel.waits);
  }
  assert.equal(still(), 4);
});

test('what is out of view is drawn when nothing moves, and what has no size not at all', () => {
  const {panel} = onPage(), drawn = () => panel.canvas.recorded.of('drawImage').length, before = drawn();
  panel.inView = false;
  panel.take({says: 'nothing to show'});
  panel.draw([], null, false);
  assert.equal(drawn(), before);
  panel.draw([], null, true);
  assert.equal(drawn(), before + 1);
  const bare = made();
  bare.take(CHART);
  bare.paint();
  assert.equal(bare.canvas.recorded.calls.length, 0);
});

test('a click says where in the data, finer than a pixel', () => {
  const {clicked, mouse, panel} = onPage();
  mouse('click', 0.5, 0.25);
  mouse('click', 0.51234, 2 / 3);
  assert.deepEqual(clicked, [['u_curve', 1e-5, -2], ['u_curve', 1.33e-5, -0.333333]]);
  mouse('click', 0.5, 1.2); // on the title
  panel.take({says: 'nothing to show'});
  mouse('click', 0.5, 0.5);
  assert.equal(clicked.length, 2);
  const plain = onPage(framed(), {hint: '', zooms: true});
  plain.mouse('click', 0.5, 0.5);
  assert.deepEqual(plain.clicked, []);
});

test('beside the axes the room for texts at the right is part of them', () => {
  const {clicked, panel, mouse} = onPage(framed({right: 5}));
  mouse('click', 0, 0.5, {clientX: 100 + 300 - 12});
  assert.deepEqual(clicked.map(([, x]) => x), [1]);
  panel.take(framed());
  panel.place = null;
  mouse('click', 0.5, 0.5);
  assert.equal(clicked.length, 1, 'a picture that was never drawn has no places');
});

test('in an enlarged picture a click waits whether it is a double one', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {clicked, mouse, press, panel} = onPage();
  press('+');
  isView(panel, [0.25, 0.75], [0.25, 0.75]);
  mouse('click', 0.5, 0.5);
  t.mock.timers.tick(249);
  assert.equal(clicked.length, 0);
  t.mock.timers.tick(1);
  assert.equal(clicked.length, 1);
  mouse('click', 0.5, 0.5);
  mouse('click', 0.5, 0.5, {detail: 2});
  t.mock.timers.tick(999);
  assert.equal(clicked.length, 1);
  mouse('click', 0.5, 0.5);
  mouse('dblclick', 0.5, 0.5);
  isView(panel, [0, 1], [0, 1]);
  t.mock.timers.tick(999);
  assert.equal(clicked.length, 1);
});

test('an area that is selected is enlarged, and the click at its end chooses nothing', () => {
  const {clicked, mouse, panel, last} = onPage();
  mouse('pointermove', 0.9, 0.9);
  mouse('pointerdown', 0.75, 0.25);
  assert.equal(panel.root.captured, 7);
  mouse('pointermove', 0.25, 0.5);
  const rect = last().findLast(call => call.name === 'rect');
  const {x, y, width, height} = BOX;
  [x + 0.75 * width, y + 0.75 * height, -0.5 * width, -0.25 * height].forEach((one, i) => near(rect.args[i], one));
  mouse('pointermove', 0.25, 1.5); // moved into the axes
  mouse('pointerup', 0.25, 1.5);
  mouse('click', 0.25, 1);
  isView(panel, [0.25, 0.75], [0.25, 1]);
  assert.deepEqual(clicked, []);
  assert.ok(!last().some(call => call.name === 'rect'));
  mouse('pointermove', 0.4, 0.4);
  assert.ok(!last().some(call => call.name === 'rect'), 'the hand has let go');
  mouse('pointerdown', 0.5, 0.5); // the next click counts again
  mouse('pointerup', 0.5, 0.5);
  isView(panel, [0.25, 0.75], [0.25, 1]);
});

test('who moves less than four pixels clicks', () => {
  for (const [x, y, selects] of [[3.9, 0, false], [0, -3.9, false], [4, 0, true], [3, 3, true], [-3, -3, true]]) {
    const {panel, mouse} = onPage();
    const {clientX, clientY} = mouse('pointerdown', 0.5, 0.5);
    mouse('pointermove', 0, 0, {clientX: clientX + x, clientY: clientY + y});
    mouse('pointerup', 0.5, 0.5);
    assert.equal(panel.view.x[0] > 0, selects, `${x}, ${y}`);
  }
  const {panel, mouse} = onPage();
  const {clientX, clientY} = mouse('pointerdown', 0.5, 0.5);
  mouse('pointermove', 0.8, 0.8);
  mouse('pointermove', 0, 0, {clientX: clientX + 1, clientY: clientY + 1}); // a drag that came back is one
  mouse('pointerup', 0.5, 0.5);
  near(panel.view.x[1] - panel.view.x[0], 1 / BOX.width);
});

test('another button, a start beside the axes and a hand that is taken away select nothing', () => {
  for (const tries of [
    ({mouse}) => mouse('pointerdown', 0.2, 0.2, {button: 2}),
    ({mouse}) => mouse('pointerdown', 0.5, 1.3),
    ({mouse}) => {
      mouse('pointerdown', 0.2, 0.2);
      mouse('pointermove', 0.6, 0.6);
      mouse('pointercancel', 0.6, 0.6);
    },
    ({mouse, panel}) => {
      mouse('pointerdown', 0.2, 0.2);
      mouse('pointermove', 0.6, 0.6);
      panel.root.happen('blur');
      panel.root.happen('pointerup');
    },
  ]) {
    const one = onPage();
    tries(one);
    one.mouse('pointermove', 0.8, 0.8);
    if (!one.panel.from) one.mouse('pointerup', 0.8, 0.8);
    isView(one.panel, [0, 1], [0, 1]);
  }
});

test('plus and minus enlarge and reduce about the middle or the cross, 0 and Escape show all', () => {
  const {panel, press} = onPage();
  press('=');
  isView(panel, [0.25, 0.75], [0.25, 0.75]);
  press('+');
  isView(panel, [0.375, 0.625], [0.375, 0.625]);
  press('-');
  isView(panel, [0.25, 0.75], [0.25, 0.75]);
  press('0');
  isView(panel, [0, 1], [0, 1]);
  for (let i = 0; i < 5; i++) press('ArrowRight', {shiftKey: true});
  press('+');
  isView(panel, [0.45, 0.95], [0.25, 0.75]);
  press('Escape');
  isView(panel, [0, 1], [0, 1]);
  assert.equal(panel.cross, null);
});

test('the arrow keys move a cross, and Enter chooses where it stands', () => {
  const {panel, press, clicked, said, last} = onPage();
  press('Enter');
  assert.deepEqual(clicked, []);
  press('ArrowUp'); // the first shows it, in the middle
  assert.deepEqual([panel.cross.x, panel.cross.y], [0.5, 0.5]);
  assert.deepEqual(said, ['step 1.0e-05, error -1']);
  const lines = last().filter(call => ['moveTo', 'lineTo'].includes(call.name)).map(call => call.args);
  assert.deepEqual(lines.slice(-4), [[155.75, 17], [155.75, 193.5], [17.5, 105.25], [294, 105.25]]);
  const stroke = last().findLast(call => call.name === 'stroke');
  assert.deepEqual([stroke.strokeStyle, stroke.lineWidth], ['#111111', 1]);
  assert.deepEqual(last().findLast(call => call.name === 'setLineDash').args, [[3, 3]]);
  for (const [key, more, x, y] of [
    ['ArrowRight', {}, 0.52, 0.5], ['ArrowLeft', {}, 0.5, 0.5], ['ArrowUp', {}, 0.5, 0.52], ['ArrowDown', {}, 0.5, 0.5],
    ['ArrowRight', {shiftKey: true}, 0.6, 0.5], ['ArrowDown', {shiftKey: true}, 0.6, 0.4],
  ]) {
    press(key, more);
    near(panel.cross.x, x);
    near(panel.cross.y, y);
  }
  press('Enter');
  assert.deepEqual(clicked, [['u_curve', 1e-4, -1.4]]);
  for (let i = 0; i < 9; i++) press('ArrowRight', {shiftKey: true});
  assert.equal(panel.cross.x, 1, 'it stays on the axes');
  for (let i = 0; i < 12; i++) press('ArrowLeft', {shiftKey: true});
  assert.equal(panel.cross.x, 0);
  panel.root.happen('blur');
  assert.equal(panel.cross, null);
});

test('in an enlarged picture a step of the cross is as large on the screen', () => {
  const {panel, press} = onPage();
  press('+');
  press('ArrowRight');
  press('ArrowRight');
  near(panel.cross.x, 0.51);
  near(panel.cross.y, 0.5);
});

test('a key that asks for something is kept from the page, and all others are not', () => {
  const {press, panel} = onPage();
  for (const key of ['ArrowLeft', '+', '=', '-', '0', 'Escape']) {
    press('ArrowUp');
    assert.deepEqual(press(key).done, ['prevented', 'stopped'], key);
  }
  for (const [key, more] of [
    ['x', {}], ['Enter', {}], ['Escape', {}], ['+', {ctrlKey: true}], ['0', {metaKey: true}], ['ArrowUp', {altKey: true}],
  ]) assert.deepEqual(press(key, more).done, [], key);
  isView(panel, [0, 1], [0, 1]);
  const clicks = onPage(framed(), {hint: 'Click.', zooms: false});
  assert.deepEqual(clicks.press('+').done, []);
  isView(clicks.panel, [0, 1], [0, 1]);
  const zooms = onPage(framed(), {hint: '', zooms: true});
  assert.deepEqual(zooms.press('ArrowUp').done, []);
  zooms.panel.take({says: 'nothing to show'});
  assert.deepEqual(zooms.press('+').done, []);
});

test('a place is said in the axis’s own words, where it has them', () => {
  const named = axis({free: false, label: 'tensor', ticks: [[0.1, 'W1'], [0.45, 'b1'], [0.9, 'W2']]});
  const {press, said} = onPage(framed({x: named, y: axis({free: false, low: 0, high: 8})}));
  press('ArrowUp');
  assert.deepEqual(said, ['b1, 4']);
  const ticked = onPage(framed({x: {...X, ticks: [[0.5, '10⁻⁵']]}}));
  ticked.press('ArrowUp');
  assert.deepEqual(ticked.said, ['step 1.0e-05, error -1']);
});

// Texts of a chart without axes: a row of three, and one below the first.
const PLACES = [[0.1, 0.8], [0.5, 0.75], [0.9, 0.8], [0.15, 0.2]], WORDS = ['W1', 'b1', 'W2', 'loss'];

function graph(places = PLACES) {
  const bytes = new Float32Array([...places.map(([x]) => x), ...places.map(([, y]) => y)]);
  const words = {
    kind: 'words', x: [0, 3], y: [16, 3], texts: WORDS.slice(0, 3), colours: ['ink', 'ink', 'ink'], size: 1, align: 'center',
    base: 'middle', dx: 0, dy: 0, bold: false,
  };
  const one = onPage(framed({framed: false, marks: [words], bytes}));
  const numbers = {floats: ([start, count]) => bytes.slice(start, start + count)};
  one.panel.draw([{...words, x: [3, 1], y: [7, 1], texts: WORDS.slice(3), colours: ['ink']}], numbers, true);
  return one;
}

test('where there are no axes the arrow keys go from text to text, also to what moves', () => {
  const {press, said, panel, last, clicked} = graph();
  const walk = ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'ArrowUp'];
  for (const key of walk) press(key);
  assert.deepEqual(said, ['W1', 'b1', 'W2', 'W2', 'b1', 'loss', 'W1', 'W1']);
  const {args} = last().findLast(call => call.name === 'ellipse');
  const wanted = [BOX.x + 0.1 * BOX.width, BOX.y + 0.2 * BOX.height, 20, 9, 0, 0, 2 * Math.PI];
  args.forEach((one, i) => assert.ok(Math.abs(one - wanted[i]) < 1e-4));
  press('Enter');
  assert.equal(clicked.length, 1);
  press('Escape');
  assert.equal(panel.cross, null);
  assert.ok(!last().some(call => call.name === 'ellipse'));
  const empty = onPage(framed({framed: false}));
  empty.press('ArrowRight');
  assert.deepEqual(empty.said, []);
});

test('on the way along a row the next in it is preferred to one that is nearer and aside, and so up and down', () => {
  const row = [[0.1, 0.8], [0.5, 0.75], [0.2, 0.65], [0.9, 0.1]];
  const along = graph(row);
  for (const key of ['ArrowRight', 'ArrowRight']) along.press(key);
  assert.deepEqual(along.said, ['W1', 'b1']);
  const upright = graph(row.map(([x, y]) => [1 - y, 1 - x])); // the same, turned
  for (const key of ['ArrowDown', 'ArrowDown']) upright.press(key);
  assert.deepEqual(upright.said, ['W1', 'b1']);
});
