import assert from 'node:assert/strict';
import {afterEach, beforeEach, mock, test} from 'node:test';
import {NOBODY, RESTARTED} from '../../gradlab/lab/board/kernel.js';
import {element, openPage} from './page.mjs';

beforeEach(() => mock.timers.enable({apis: ['setTimeout']})); // nobody waits for an answer that does not come
afterEach(() => mock.timers.reset());

const LIGHT = {paper: '#ffffff', ink: '#000000', correct: '#1a1', wrong: '#a11', inconclusive: '#a80'};
const DARK = {...LIGHT, paper: '#111111', ink: '#eeeeee', correct: '#5f5', wrong: '#f55', inconclusive: '#fb5'};
const says = why => ({says: why});

// As ipywidgets has it: what the kernel set, and what is sent to it.
function modelOf(more) {
  const heard = [], sent = [];
  const values = {
    panels: {one: {title: 'One', width: 25, hint: '', zooms: false}, two: {title: 'Two', width: 18, hint: 'Click.', zooms: false}},
    visible: ['one', 'two'], theme: 'auto', colours: {light: LIGHT, dark: DARK}, banner: '<p>correct</p>',
    told: {alt: {one: 'a U'}, cost: '9 evaluations', said: 'it is correct'}, ghost: {}, chart_one: says('nothing'), chart_two: says('nothing'),
    ink: {marks: {one: [], two: []}, bytes: null, sharp: true, shows: 3}, ...more,
  };
  return {
    heard, sent, values, widget_manager: {kernel: {status: 'idle'}},
    get: name => values[name],
    on: (name, callback) => heard.push({name, callback}),
    off: (name, callback) => heard.splice(heard.findIndex(one => one.name === name && one.callback === callback), 1),
    send: (content, callbacks) => sent.push({content, callbacks}),
    tell(name, ...args) { for (const one of heard.filter(one => one.name === name)) one.callback(...args); },
    change(changed, name = 'change') {
      Object.assign(values, changed);
      this.tell(name);
    },
  };
}

// The lab on a page of 700 by 1000 pixels, whose text has 13: the board's pictures begin 200 below the lab's top.
async function opened(more, before = () => {}) {
  const page = openPage();
  const {default: board} = await import('../../gradlab/lab/board/board.js');
  const el = element('div'), lab = element('div.gradlab-lab', {}, el), model = modelOf(more);
  page.body.append(element('div.jp-Cell', {}, element('div.jp-InputPrompt', {}, ' [3]: '), lab));
  before(page);
  const end = board.render({model, el});
  const [banner, nobody, pictures, cost, em] = el.children;
  const size = (width, text = 13) => {
    pictures.box = {top: 300, width};
    em.box = {width: 10 * text};
  };
  lab.box = {top: 100};
  size(700);
  const [sizes] = ResizeObserver.all, [views] = IntersectionObserver.all;
  const place = () => sizes.callback();
  const panel = name => pictures.children.find(one => one.dataset.panel === name);
  const widths = () => pictures.children.map(one => one.style.width);
  return {...page, el, lab, model, end, banner, nobody, pictures, cost, em, size, sizes, views, place, panel, widths, drawn: 0};
}

const EM = 700 / 43; // both panels in one row, 43 em

test('the board has a place for the banner, for what is wrong with the kernel, the pictures, the cost and the voice', async () => {
  const {el, nobody} = await opened();
  assert.deepEqual(el.children.map(one => one.className), [
    'gradlab-answer', 'gradlab-restarted', 'gradlab-panels', 'gradlab-cost', 'gradlab-em', 'gradlab-voice',
  ]);
  assert.equal(nobody.getAttribute('role'), 'alert');
  assert.ok(el.classList.contains('gradlab-board'));
});

test('what came before the screen’s next frame is drawn once, the latest', async () => {
  const {el, lab, model, frame, banner} = await opened();
  let drawn = 0;
  lab.addEventListener('gradlab-drawn', () => { drawn += 1; });
  assert.equal(banner.textContent, '');
  model.change({banner: '<p>wrong</p>'});
  model.change({banner: '<p>wrong, again</p>'});
  await frame();
  assert.deepEqual([banner.textContent, drawn, el.dataset.shows], ['wrong, again', 1, '3']);
  const p = banner.firstElementChild;
  model.change({ink: {...model.values.ink, shows: 4}});
  await frame();
  assert.deepEqual([drawn, el.dataset.shows, banner.firstElementChild], [2, '4', p]);
});

test('a page in the background has no frames, and is drawn without', async () => {
  const {banner} = await opened({}, ({page}) => { page.hidden = true; });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(banner.textContent, 'correct');
});

test('who reads is told once nothing moves for 150 ms, and it rests after the last frame', async () => {
  const {el, model, frame, cost, panel} = await opened();
  await frame();
  mock.timers.tick(149);
  assert.equal(cost.textContent, '');
  model.change({});
  mock.timers.tick(99);
  await frame();
  mock.timers.tick(149);
  assert.deepEqual([cost.textContent, el.dataset.rests], ['', undefined]);
  mock.timers.tick(1);
  assert.deepEqual([cost.textContent, el.dataset.rests], ['9 evaluations', '']);
  assert.deepEqual([panel('one').getAttribute('aria-label'), panel('two').getAttribute('aria-label')], ['a U', 'Two']);
  mock.timers.tick(500);
  assert.equal(el.querySelector('.gradlab-voice').textContent, 'it is correct');
  model.change({ink: {...model.values.ink, sharp: false}});
  assert.equal(el.dataset.rests, undefined);
  await frame();
  mock.timers.tick(999);
  assert.equal(el.dataset.rests, undefined, 'in the midst of a drag it does not rest');
});

test('a banner grows for its words only when nothing moves, and anew on another page', async () => {
  const {model, frame, banner, size, place} = await opened();
  const room = () => banner.style.properties.get('--gradlab-words');
  place();
  await frame();
  const words = height => Object.assign(banner.firstElementChild, {scrollHeight: height, clientHeight: 60});
  words(80);
  model.change({ink: {...model.values.ink, sharp: false}});
  await frame();
  assert.equal(room(), undefined);
  model.change({ink: {...model.values.ink, sharp: true}});
  await frame();
  assert.equal(room(), '80px');
  words(60);
  for (const [width, text, wanted] of [[700, 13, '80px'], [720, 13, '80px'], [680, 13, '80px'], [721, 13, undefined]]) {
    size(width, text);
    place();
    assert.equal(room(), wanted, `${width}`);
  }
  banner.style.setProperty('--gradlab-words', '80px');
  size(721, 14);
  place();
  assert.equal(room(), undefined, 'larger text is another page');
});

test('visible panels stand in their order, as wide as the row allows, and the others are hidden', async () => {
  const {model, place, panel, widths} = await opened();
  place();
  assert.deepEqual(widths(), ['406px', '293px']); // 25 and 18 em of 700/43
  assert.equal(panel('one').style.height, `${Math.floor(21 * EM)}px`);
  model.change({visible: ['two', 'one']}, 'change:visible change:theme');
  assert.deepEqual([panel('two').style.order, panel('one').style.order], [0, 1]);
  model.change({visible: ['two']}, 'change:visible change:theme');
  assert.deepEqual([panel('one').hidden, panel('two').hidden], [true, false]);
  assert.equal(panel('two').style.width, `${Math.floor(18 * 1.6 * 1.6 * 13)}px`);
});

test('a row is filled in the order that the panels stand in', async () => {
  const about = width => ({title: 'A title', width, hint: '', zooms: false}), [em, wide] = [11, 440];
  const {size, place, panel, window} = await opened({
    panels: {one: about(30), two: about(10), three: about(30)}, visible: ['one', 'three', 'two'], chart_three: says(''),
  });
  window.innerHeight = 100;
  size(wide, em);
  place();
  assert.deepEqual(['one', 'three', 'two'].map(name => panel(name).style.width), ['440px', '330px', '110px']);
});

test('hidden panels take no frame, visible ones theirs, and a ghost is handed on with its numbers', async () => {
  const {model, frame, place, panel} = await opened({visible: ['one'], chart_two: says('no network')});
  place();
  await frame();
  assert.deepEqual([panel('one').textContent, panel('two').textContent], ['One: nothing', '']);
  const sheet = () => panel('one').children[0].recorded.of('drawImage').length, before = sheet();
  model.change({});
  await frame();
  assert.equal(sheet(), before, 'nothing is new');
  model.change({ghost: {charts: {one: {x: 1}}, bytes: null}});
  await frame();
  assert.equal(sheet(), before + 1);
  model.change({visible: ['one', 'two']});
  await frame();
  assert.equal(panel('two').textContent, 'Two: no network');
});

test('a ghost is drawn with its own numbers, for the one that came last', async () => {
  const axis = {low: 0, high: 1, log: false, ticks: [], label: ''};
  const chart = {
    title: '', aside: '', note: '', legend: [], framed: true, square: false, right: 0, bottom: 0, x: axis, y: axis, marks: [], bytes: null,
  };
  const ghostAt = share => ({
    charts: {one: {x: axis, y: axis, marks: [{kind: 'curve', x: [0, 1], y: [0, 1], colour: 'ink', dash: [], width: 1}]}},
    bytes: new Float32Array([share]),
  });
  const {model, frame, place, panel} = await opened({chart_one: chart, ghost: ghostAt(0.25)});
  place();
  await frame();
  const pale = () => {
    const [{args: [paper]}] = panel('one').children[0].recorded.of('drawImage');
    return paper.recorded.of('moveTo').filter(call => call.globalAlpha < 1).map(call => call.args[0]);
  };
  assert.equal(pale().length, 1);
  model.change({ghost: ghostAt(0.5)});
  await frame();
  const [first, second] = pale(), width = 406 - 2 * 0.6 * EM; // between the edges
  assert.ok(Math.abs(second - first - 0.25 * width) < 1e-6);
});

test('pictures leave room below and above them: one row fits in three quarters of the window', async () => {
  const {page, window, lab, size, place, panel, sizes, em, el} = await opened({visible: ['two']});
  assert.deepEqual(sizes.seen.map(one => one.target), [el, em]);
  const height = () => panel('two').style.height;
  const wanted = (share, text, top = 200) => `${Math.floor(21 * ((share * window.innerHeight - top - 5 * text) / 21) + 1e-9)}px`;
  window.innerHeight = 700;
  size(2000);
  place();
  assert.equal(height(), wanted(0.75, 13));
  size(2000, 15); // no presentation yet
  place();
  assert.equal(height(), wanted(0.75, 15));
  size(2000, 16);
  place();
  assert.equal(height(), wanted(0.85, 16));
  page.fullscreenElement = lab;
  size(2000, 13);
  page.happen('fullscreenchange');
  assert.equal(height(), wanted(0.85, 13));
  page.fullscreenElement = null;
  window.innerHeight = 900;
  window.happen('resize');
  assert.equal(height(), wanted(0.75, 13));
  em.box = {width: 0}; // a page whose text is not known has letters of 13 pixels
  place();
  assert.equal(height(), wanted(0.75, 13));
});

test('without a lab around it the board has no height above it', async () => {
  const {el, window, size, place, panel, lab} = await opened({visible: ['two']});
  lab.className = '';
  window.innerHeight = 500;
  size(2000);
  el.querySelector('.gradlab-panels').box.top = 300;
  place();
  assert.equal(panel('two').style.height, `${0.75 * 500 - 5 * 13}px`);
});

test('a board that nobody sees keeps its size and takes the theme', async () => {
  const {size, place, panel, model, body} = await opened();
  place();
  const paper = () => panel('one').children[0].recorded.of('drawImage').at(-1)?.args[0].recorded.of('fillRect').at(-1).fillStyle;
  assert.equal(paper(), LIGHT.paper);
  const {width, height} = panel('one').style;
  size(0);
  model.change({theme: 'dark'}, 'change:visible change:theme');
  assert.equal(paper(), DARK.paper);
  assert.deepEqual([panel('one').style.width, panel('one').style.height], [width, height]);
  body.dataset.jpThemeLight = 'false';
  const fresh = await opened();
  fresh.size(0);
  fresh.place();
  assert.deepEqual(fresh.widths(), [undefined, undefined], 'never seen, it has no size');
});

test('the theme is that of the page, or the one that was asked for', async () => {
  for (const [theme, page, wanted] of [
    ['auto', 'false', DARK], ['auto', 'true', LIGHT], ['auto', undefined, LIGHT], ['dark', 'true', DARK], ['light', 'false', LIGHT],
  ]) {
    const {body, place, panel, el} = await opened({theme});
    if (page) body.dataset.jpThemeLight = page;
    place();
    const [{args: [paper]}] = panel('one').children[0].recorded.of('drawImage');
    assert.equal(paper.recorded.of('fillRect')[0].fillStyle, wanted.paper);
    for (const verdict of ['correct', 'wrong', 'inconclusive']) {
      assert.equal(el.style.properties.get(`--gradlab-${verdict}`), LIGHT[verdict], 'white stands on them');
    }
  }
});

test('another theme of the page, and another screen, are seen, each time', async () => {
  const {body, place, panel, queries, window, end} = await opened();
  place();
  const theme = MutationObserver.all.find(one => one.seen.some(({target}) => target === body));
  assert.deepEqual(theme.seen, [{target: body, attributeFilter: ['data-jp-theme-light']}]);
  const canvas = panel('one').children[0], drawn = () => canvas.recorded.of('drawImage').length;
  body.dataset.jpThemeLight = 'false';
  theme.callback();
  assert.equal(drawn(), 2);
  for (const ratio of [2, 3]) {
    window.devicePixelRatio = ratio;
    queries.at(-1).happen('change');
    assert.equal(queries.at(-1).text, `(resolution: ${ratio}dppx)`);
    assert.equal(canvas.width, 406 * ratio);
  }
  assert.equal(queries.length, 3);
  queries[0].happen('change'); // of the resolution before the one before
  assert.equal(queries.length, 3);
  end();
  queries.at(-1).happen('change');
  assert.equal(queries.length, 3);
});

test('the kernel hears which panels somebody has before their eyes; those that come into view are drawn', async () => {
  const {model, views, panel, place, frame} = await opened();
  assert.deepEqual(views.seen.map(one => one.target), [panel('one'), panel('two')]);
  place();
  await frame();
  views.callback([{target: panel('one'), isIntersecting: false}]);
  const {page, in_view: names} = model.sent.at(-1).content;
  assert.deepEqual(names, ['two']);
  assert.match(page, /^\d+-\d+$/);
  const drawn = () => panel('one').children[0].recorded.of('drawImage').length, before = drawn();
  model.change({chart_one: says('another reason'), ink: {...model.values.ink, sharp: false}});
  await frame();
  assert.equal(drawn(), before);
  views.callback([{target: panel('one'), isIntersecting: true}, {target: panel('two'), isIntersecting: false}]);
  assert.deepEqual([drawn(), model.sent.at(-1).content], [before + 1, {page, in_view: ['one']}]);
  views.callback([{target: panel('one'), isIntersecting: true}]);
  assert.equal(drawn(), before + 1);
});

test('a click and the lab’s keys go to the kernel, and its answers back', async () => {
  const {model, panel, place, frame, window, lab, nobody, el} = await opened({
    chart_two: {
      title: 'Two', aside: '', note: '', legend: [], framed: true, square: false, right: 0, bottom: 0, marks: [], bytes: null,
      x: {low: 0, high: 1, ticks: [], label: ''}, y: {low: 0, high: 1, ticks: [], label: ''},
    },
  });
  place();
  await frame();
  place();
  panel('two').box = {x: 0, y: 0};
  panel('two').happen('click', {clientX: 150, clientY: 100});
  const {content: {panel: name, x, y}, callbacks} = model.sent.at(-1);
  assert.equal(name, 'two');
  assert.ok(x > 0 && x < 1 && y > 0 && y < 1);
  window.happen('keydown', {target: lab, key: 'z', ctrlKey: true});
  assert.deepEqual(model.sent.at(-1).content, {undo: true});
  mock.timers.tick(2999);
  assert.equal(nobody.textContent, '');
  mock.timers.tick(1);
  assert.equal(nobody.textContent, NOBODY);
  assert.ok(el.hasAttribute('data-nobody'));
  callbacks.iopub.status({header: {}, content: {execution_state: 'idle'}});
  assert.equal(nobody.textContent, '');
  assert.ok(!el.hasAttribute('data-nobody'));
});

test('a handle that is dragged is sent, and its answer counts', async () => {
  const {model, lab, place} = await opened();
  const events = {}, control = element('div.gradlab-slides-eps', {}, element('div.noUi-target'));
  control.children[0].noUiSlider = {on: (name, does) => { events[name] = does; }, set() {}};
  lab.append(control);
  place();
  place(); // the same lab, once
  assert.equal(MutationObserver.all.filter(one => one.seen.some(({target}) => target === lab)).length, 1);
  const slides = () => model.sent.filter(({content}) => content.slide).map(({content}) => content);
  events.start();
  events.slide(['-6'], 0, [-6]);
  events.slide(['-5'], 0, [-5]);
  assert.deepEqual(slides(), [{slide: 'eps', to: -6}]);
  for (const state of ['busy', 'idle']) {
    model.sent.at(-1).callbacks.iopub.status({header: {date: '2026-01-01'}, content: {execution_state: state}});
  }
  assert.deepEqual(slides().at(-1), {slide: 'eps', to: -5});
});

test('a kernel that was restarted is told with the cell that makes the lab anew, and one that speaks again lives', async () => {
  const {model, nobody, el} = await opened();
  model.tell('comm_live_update');
  assert.ok(nobody.textContent.startsWith(`${RESTARTED} (the one above, [3]:)`));
  model.change({});
  assert.equal(nobody.textContent, '');
  el.parent.parent.className = '';
  model.tell('comm_live_update');
  assert.ok(nobody.textContent.startsWith(`${RESTARTED}, after`));
});

test('what the kernel asks of the page is done', async t => {
  const {model, lab, page, place} = await opened(), done = [];
  const clipboard = {writeText: text => { done.push(['copy', text]); return Promise.reject(new Error('not allowed')); }};
  Object.defineProperty(globalThis, 'navigator', {value: {clipboard}, configurable: true, writable: true});
  t.mock.method(URL, 'createObjectURL', blob => { done.push(['save', blob.type, blob.size]); return 'blob:1'; });
  t.mock.method(page, 'createElement', tag => Object.assign(element(tag), {click() { done.push(['named', this.download]); }}));
  lab.append(Object.assign(element('div.there'), {scrollIntoView: how => done.push(['see', how])}));
  lab.requestFullscreen = () => { done.push(['full']); return Promise.resolve(); };
  const ask = (message, ...buffers) => {
    done.length = 0;
    model.tell('msg:custom', message, buffers);
    return done;
  };
  assert.deepEqual(ask({see: '.there', fullscreen: true}), [], 'before it stands in a lab');
  place();
  assert.deepEqual(ask({copy: 'gl.Lab()'}), [['copy', 'gl.Lab()']]);
  assert.deepEqual(ask({see: '.there'}), [['see', {block: 'nearest'}]]);
  assert.deepEqual(ask({see: '.nowhere'}), []);
  assert.deepEqual(ask({fullscreen: true}), [['full']]);
  assert.deepEqual(ask({save: 'lab.svg', mime: 'image/svg+xml'}, 'bytes'), [['save', 'image/svg+xml', 5], ['named', 'lab.svg']]);
  navigator.clipboard = undefined;
  assert.deepEqual(ask({copy: 'gl.Lab()'}), []);
});

test('a board that is taken from the page listens to nothing any more', async () => {
  const {model, el, frame, cost, nobody, end, place, window, page, lab} = await opened();
  place();
  await frame();
  model.change({banner: '<p>too late</p>'});
  window.happen('keydown', {target: lab, key: 'z', ctrlKey: true}); // whose answer nobody waits for
  end();
  await frame();
  assert.equal(el.textContent.includes('too late'), false);
  mock.timers.tick(999);
  mock.timers.tick(9000);
  assert.deepEqual([cost.textContent, nobody.textContent], ['', '']);
  assert.deepEqual(model.heard, []);
  assert.deepEqual(model.sent.at(-1).content.in_view, []);
  for (const kind of [ResizeObserver, MutationObserver, IntersectionObserver]) {
    for (const one of kind.all) assert.deepEqual(one.seen, []);
  }
  for (const one of [window, page, lab]) assert.deepEqual(one.heard.map(({type}) => type), []);
});

test('who drew last before the end is not told at rest', async () => {
  const {frame, cost, end} = await opened();
  await frame();
  end();
  mock.timers.tick(999);
  assert.equal(cost.textContent, '');
});
