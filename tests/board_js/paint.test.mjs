import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Place, frameOf} from '../../gradlab/lab/board/frame.js';
import {numbersOf, paintChart, paintMarks, penOf} from '../../gradlab/lab/board/paint.js';
import {WHOLE} from '../../gradlab/lab/board/zoom.js';
import {openPage, recorder} from './page.mjs';

openPage();

const ROLES = {ink: '#111111', paper: '#ffffff', faint: '#888888', wrong: '#c04a00'};
const PLACE = new Place({x: 0, y: 0, width: 100, height: 100}, WHOLE, 13);

function packed(...arrays) {
  const floats = new Float32Array(arrays.flat());
  const shifted = new Uint8Array(floats.byteLength + 3); // a message begins anywhere
  shifted.set(new Uint8Array(floats.buffer), 3);
  return numbersOf(new DataView(shifted.buffer, 3));
}

const curve = more => ({kind: 'curve', x: [0, 4], y: [16, 4], colour: 'ink', dash: [2, 1], width: 2, ...more});

test('a curve is broken where a value is NaN', () => {
  const {ctx, of} = recorder();
  paintMarks(penOf(ctx, PLACE, ROLES), [curve()], packed([0, 0.5, 0.7, 1], [0, NaN, 0.5, 1]));
  assert.deepEqual(of('moveTo').map(call => call.args.map(Math.round)), [[0, 100], [70, 50]]);
  assert.equal(of('lineTo').length, 1);
  assert.deepEqual(of('setLineDash')[0].args, [[4, 2]]);
});

test('roles are the theme’s, and a colour stands for itself', () => {
  for (const [colour, wanted] of [['wrong', '#c04a00'], ['#123456', '#123456']]) {
    const {ctx, of} = recorder();
    paintMarks(penOf(ctx, PLACE, ROLES), [curve({colour})], packed([0, 0.5, 0.7, 1], [0, 0, 0, 0]));
    assert.equal(of('stroke')[0].strokeStyle, wanted);
  }
});

test('dots have a colour a group, and none for a NaN', () => {
  const {ctx, of} = recorder();
  const dots = {
    kind: 'dots', x: [0, 3], y: [12, 3], colours: ['ink', 'wrong'], ends: [1, 3], radius: 2, edge: null, sign: 'disc',
  };
  paintMarks(penOf(ctx, PLACE, ROLES), [dots], packed([0, 0.5, 1], [0.5, NaN, 1]));
  assert.deepEqual(of('fill').map(call => call.fillStyle), ['#111111', '#c04a00']);
  assert.equal(of('arc').length, 2);
});

test('marks stay inside the axes, but for texts that may leave them', () => {
  const {ctx, calls} = recorder();
  const words = {
    kind: 'words', x: [0, 1], y: [4, 1], texts: ['a\nb'], colours: ['ink'], size: 0.8, align: 'left', base: 'middle',
    dx: 1, dy: 0, bold: false, outside: true,
  };
  paintMarks(penOf(ctx, PLACE, ROLES), [words, curve({x: [0, 1], y: [4, 1]})], packed([1], [0.5]));
  const names = calls.map(call => call.name);
  assert.ok(names.indexOf('clip') < names.indexOf('restore') && names.lastIndexOf('restore') < names.indexOf('fillText'));
  assert.deepEqual(calls.filter(call => call.name === 'fillText').map(call => call.args[0]), ['a', 'b']);
});

const axis = {low: 1, high: 100, log: true, free: true, label: '', ticks: []};
const chart = marks => ({
  title: 'A title', aside: '', note: '', legend: [], framed: true, square: false, right: 0, bottom: 0, x: axis, y: axis,
  marks,
});

function painted(picture, ghost, roles = ROLES) {
  const {ctx, of, calls} = recorder();
  const frame = frameOf(picture, [200, 200], 13, text => 6 * text.length, WHOLE);
  const pen = penOf(ctx, new Place(frame.box, WHOLE, 13), roles);
  paintChart(pen, picture, frame, packed([0, 1, 0, 1], [0, 0.5, 0.5, 1]), ghost);
  return {of, calls, box: frame.box};
}

test('a ghost is pale, above the ground and below the curves, on the axes of now', () => {
  const ground = {
    kind: 'boxes', x0: [0, 1], y0: [0, 1], x1: [4, 1], y1: [4, 1], fill: 'paper', edge: null, dash: [], width: 1,
    round: 0, hatch: false,
  };
  const half = {...axis, low: 10}; // its low end is the middle of the axis of now
  const ghost = {x: half, y: axis, marks: [curve({x: [0, 2], y: [8, 2]})], numbers: packed([0, 1], [0, 1])};
  const {of, calls, box} = painted(chart([ground, curve({x: [0, 2], y: [8, 2]})]), ghost);
  const strokes = of('stroke').filter(call => call.lineWidth === 2);
  assert.deepEqual(strokes.map(call => call.globalAlpha), [0.38, 1]);
  const onDark = painted(chart([ground, curve({x: [0, 2], y: [8, 2]})]), ghost, {...ROLES, paper: '#111111'});
  assert.ok(onDark.of('stroke').some(call => call.globalAlpha === 0.6), 'light lines fade sooner on dark');
  assert.ok(calls.findIndex(call => call.name === 'fill') < calls.findIndex(call => call.globalAlpha < 1));
  const first = calls.find(call => call.name === 'moveTo' && call.globalAlpha < 1);
  assert.ok(Math.abs(first.args[0] - (box.x + box.width / 2)) < 1e-6);
});

test('title and legend are written, and texts of ticks never overlap', () => {
  const crowded = {...axis, ticks: [[0, 'one'], [0.01, 'two'], [1, 'three']]};
  const {of} = painted({...chart([]), x: crowded, legend: [{text: 'W1', colour: 'wrong', dash: [], sign: ''}]}, null);
  const texts = of('fillText').map(call => call.args[0]);
  for (const text of ['A title', 'W1', 'one', 'three']) assert.ok(texts.includes(text), text);
  assert.ok(!texts.includes('two'));
});

test('no bytes are no numbers', () => {
  assert.deepEqual([...numbersOf(new DataView(new ArrayBuffer(0))).floats([0, 0])], []);
});

// -- each mark, on axes of 200 by 100 pixels at (10, 20) with letters of 26: everything is twice as large as usual

const LARGE = new Place({x: 10, y: 20, width: 200, height: 100}, WHOLE, 26);
const kept = arrays => { // places of arrays in a message, one after the other, and the message's numbers
  let start = 0;
  const places = arrays.map(({length}) => [4 * (start += length) - 4 * length, length]);
  return {places, numbers: packed(...arrays)};
};

function drawn(mark, ...arrays) {
  const {places, numbers} = kept(arrays), {ctx, of, calls} = recorder();
  const names = {boxes: ['x0', 'y0', 'x1', 'y1'], segments: ['x0', 'y0', 'x1', 'y1']}[mark.kind] ?? ['x', 'y'];
  paintMarks(penOf(ctx, LARGE, ROLES), [{...Object.fromEntries(names.map((name, i) => [name, places[i]])), ...mark}], numbers);
  const only = (...wanted) => calls.filter(({name}) => wanted.includes(name)).map(({name, args}) => [name, ...args]);
  return {of, calls, only, dash: () => of('setLineDash').at(-1)?.args[0]};
}

test('a curve’s width and dashes grow with the letters, and a gap in either direction breaks it', () => {
  const {only, of, dash} = drawn(
    {kind: 'curve', colour: 'ink', dash: [2, 1], width: 3}, [0, 0.25, NaN, 0.5, 0.75, 1], [0, 1, 0.5, 0.5, NaN, 0.25],
  );
  assert.deepEqual(only('beginPath', 'moveTo', 'lineTo', 'stroke').slice(1), [
    ['beginPath'], ['moveTo', 10, 120], ['lineTo', 60, 20], ['moveTo', 110, 70], ['moveTo', 210, 95], ['stroke'],
  ]);
  const [{lineWidth, lineJoin, strokeStyle}] = of('stroke');
  assert.deepEqual([lineWidth, lineJoin, strokeStyle, dash()], [6, 'round', '#111111', [12, 6]]);
});

test('signs of dots have their radius about their place', () => {
  for (const [sign, wanted] of [
    ['disc', [['moveTo', 116, 95], ['arc', 110, 95, 6, 0, 2 * Math.PI]]],
    ['ring', [['moveTo', 116, 95], ['arc', 110, 95, 6, 0, 2 * Math.PI]]],
    ['square', [['rect', 104, 89, 12, 12]]],
    ['triangle', [['moveTo', 104, 90.2], ['lineTo', 116, 90.2], ['lineTo', 110, 100.4], ['closePath']]],
  ]) {
    const dots = {kind: 'dots', colours: ['wrong'], ends: [1], radius: 3, edge: null, sign};
    const {only} = drawn(dots, [0.5], [0.25]);
    const [clip, ...path] = only('rect', 'moveTo', 'lineTo', 'arc', 'closePath');
    assert.deepEqual(path, wanted, sign);
    assert.deepEqual(clip, ['rect', 10 - 10.4, 20 - 10.4, 200 + 20.8, 100 + 20.8], 'dots on the edge are whole');
  }
});

test('a disc is filled, one with an edge outlined, and a ring is the paper’s within', () => {
  for (const [sign, edge, fills, strokes] of [
    ['disc', null, ['#111111', '#c04a00'], []],
    ['disc', 'faint', ['#111111', '#c04a00'], [['#888888', 2], ['#888888', 2]]],
    ['ring', null, ['#ffffff', '#ffffff'], [['#111111', 3.2], ['#c04a00', 3.2]]],
  ]) {
    const {of, dash} = drawn(
      {kind: 'dots', colours: ['ink', 'wrong'], ends: [1, 3], radius: 3, edge, sign}, [0, 0.5, 1], [0, 0.5, 1],
    );
    assert.deepEqual(of('fill').map(call => call.fillStyle), fills);
    assert.deepEqual(of('stroke').map(call => [call.strokeStyle, call.lineWidth]), strokes);
    assert.equal(of('beginPath').length, 3);
    assert.equal(of('arc').length, 3, 'each once');
    assert.deepEqual(dash(), []);
  }
});

test('segments go from their one end to the other', () => {
  const {only, of, dash} = drawn(
    {kind: 'segments', colour: 'wrong', dash: [1], width: 1}, [0, 0.5], [0, 0], [0.5, 1], [1, 0.25],
  );
  assert.deepEqual(only('rect'), [['rect', 10, 20, 200, 100]], 'cut off at the axes');
  assert.deepEqual(only('beginPath', 'moveTo', 'lineTo', 'stroke').slice(1), [
    ['beginPath'], ['moveTo', 10, 120], ['lineTo', 110, 20], ['moveTo', 110, 120], ['lineTo', 210, 95], ['stroke'],
  ]);
  assert.deepEqual([of('stroke')[0].lineWidth, of('stroke')[0].strokeStyle, dash()], [2, '#c04a00', [2]]);
});

const box = {kind: 'boxes', fill: null, edge: null, dash: [3, 1], width: 1.5, round: 0, hatch: false};
const CORNERS = [[0], [0.25], [0.5], [0.75]];

test('a box is filled, outlined, or both, and may be round', () => {
  const {only, of} = drawn({...box, fill: 'wrong'}, ...CORNERS);
  assert.deepEqual(only('rect').at(-1), ['rect', 10, 45, 100, 50]);
  assert.deepEqual([of('fill')[0].fillStyle, of('stroke').length, of('beginPath').length], ['#c04a00', 0, 2]);
  const line = drawn({...box, edge: 'faint'}, ...CORNERS);
  assert.equal(line.of('fill').length, 0);
  const [{strokeStyle, lineWidth}] = line.of('stroke');
  assert.deepEqual([strokeStyle, lineWidth, line.dash()], ['#888888', 3, [9, 3]]);
  const round = drawn({...box, edge: 'faint', round: 0.5}, ...CORNERS);
  assert.deepEqual(round.only('roundRect'), [['roundRect', 10, 45, 100, 50, 13]]);
  assert.equal(round.of('rect').length, 1, 'that of the axes');
});

test('a hatched box has slanted lines from side to side, within it', () => {
  const {calls, only, of, dash} = drawn({...box, edge: 'faint', hatch: true}, ...CORNERS);
  const from = only('moveTo'), to = only('lineTo');
  assert.equal(from.length, Math.ceil(300 / 18.2));
  from.forEach(([, x, y], i) => {
    assert.ok(Math.abs(x - (-90 + i * 18.2)) < 1e-9 && y === 120);
    assert.ok(Math.abs(to[i][1] - x - 100) < 1e-9 && to[i][2] === 20);
  });
  const names = calls.map(call => call.name);
  assert.deepEqual(names.filter(name => !['setLineDash', 'moveTo', 'lineTo', 'rect'].includes(name)), [
    'save', 'beginPath', 'clip', 'beginPath', 'save', 'clip', 'beginPath', 'stroke', 'restore', 'restore',
  ]);
  assert.deepEqual([dash(), of('stroke').length], [[], 1]);
});

const words = {kind: 'words', texts: ['one'], colours: ['ink'], size: 0.5, align: 'left', base: 'middle', dx: 1, dy: -2, bold: false};

test('a text stands where it is put, moved by em, with its letters and colour', () => {
  const {only, of} = drawn({...words, texts: ['one', 'two'], colours: ['ink', 'wrong']}, [0.5, 1], [0.25, 1]);
  assert.deepEqual(only('fillText'), [['fillText', 'one', 136, 43], ['fillText', 'two', 236, -32]]);
  assert.deepEqual(of('fillText').map(call => call.fillStyle), ['#111111', '#c04a00']);
  const [{font, textAlign, textBaseline}] = of('fillText');
  assert.deepEqual([font, textAlign, textBaseline], ['13px "DejaVu Sans", Verdana, sans-serif', 'left', 'middle']);
  assert.equal(of('strokeText').length, 0);
  assert.match(drawn({...words, bold: true}, [0], [0]).of('fillText')[0].font, /^bold 13px/);
});

test('lines of a text stand below each other, about its place or all on one side of it', () => {
  for (const [base, wanted] of [['top', [20, 34.3, 48.6]], ['middle', [5.7, 20, 34.3]], ['bottom', [-8.6, 5.7, 20]]]) {
    const {only} = drawn({...words, texts: ['a\nb\nc'], base, dx: 0, dy: 0}, [0], [1]);
    const found = only('fillText');
    assert.deepEqual(found.map(([, line]) => line), ['a', 'b', 'c']);
    found.forEach(([, , x, y], i) => assert.ok(x === 10 && Math.abs(y - wanted[i]) < 1e-9, `${base}: ${y}`));
  }
});

test('a halo of the paper’s colour is drawn below each line', () => {
  const {calls, dash} = drawn({...words, texts: ['a\nb'], halo: true}, [0], [1]);
  const texts = calls.filter(({name}) => name.endsWith('Text'));
  assert.deepEqual(texts.map(({name, args: [line]}) => [name, line]), [
    ['strokeText', 'a'], ['fillText', 'a'], ['strokeText', 'b'], ['fillText', 'b'],
  ]);
  const [{strokeStyle, lineWidth, lineJoin, args}, fill] = texts;
  assert.deepEqual([strokeStyle, lineJoin, args, dash()], ['#ffffff', 'round', fill.args, []]);
  assert.ok(Math.abs(lineWidth - 9.1) < 1e-9);
});

test('cells are drawn a pixel each on a sheet that is kept, and enlarged without smoothing', () => {
  const sheets = [];
  for (const [rows, columns] of [[2, 3], [2, 3], [3, 3], [3, 1]]) {
    const bytes = Uint8Array.from({length: 4 * rows * columns}, (_, i) => i);
    const {ctx, of} = recorder();
    const mark = {kind: 'cells', shape: [rows, columns], box: [0, 0.25, 0.5, 0.75], rgba: [0, bytes.length]};
    paintMarks(penOf(ctx, LARGE, ROLES), [mark], numbersOf(new DataView(bytes.buffer)));
    const [{args: [sheet, ...at], imageSmoothingEnabled}] = of('drawImage');
    assert.deepEqual([at, imageSmoothingEnabled], [[10, 45, 100, 50], false]);
    assert.deepEqual([sheet.width, sheet.height], [columns, rows]);
    const {args: [image, ...corner]} = sheet.recorded.of('putImageData').at(-1);
    assert.deepEqual([[...image.data], image.width, image.height, corner], [[...bytes], columns, rows, [0, 0]]);
    sheets.push(sheet);
  }
  assert.equal(new Set(sheets).size, 1);
});

test('a message’s numbers begin where they begin, and colours are bytes', () => {
  const bytes = new Uint8Array([9, 9, 9, 9, 1, 2, 3, 255, 9]);
  const {colours} = numbersOf(new DataView(bytes.buffer, 4, 4));
  assert.deepEqual([...colours([0, 4])], [1, 2, 3, 255]);
  assert.throws(() => colours([0, 5]));
  assert.deepEqual([...numbersOf(null).floats([0, 0])], []);
});

// -- what stands around the marks: axes of 100 by 50 at (20, 30) in a panel 140 wide, with letters of 26 pixels

function around(more, parts) {
  const {ctx, calls, of} = recorder(), box = {x: 20, y: 30, width: 100, height: 50};
  const frame = {box, ticks: {x: [], y: []}, legend: [], edge: 15, tickRow: 95, labelRow: 115, noteRow: 130, width: 140, ...parts};
  paintChart(penOf(ctx, new Place(box, WHOLE, 26), ROLES), {...chart([]), title: '', ...more}, frame, packed([]), null);
  const text = wanted => calls.filter(({name, args}) => name === 'fillText' && args[0] === wanted);
  return {calls, of, text};
}

const size = ({font}) => Number.parseFloat(font);
const SMALL = 0.82 * 26;

test('the axes are two thin lines, with a short one for each tick', () => {
  const {calls, of} = around({}, {ticks: {x: [[0, '0'], [0.5, '5']], y: [[0.25, '2']]}});
  const lines = calls.filter(({name}) => ['moveTo', 'lineTo'].includes(name)).map(({name, args}) => [name, ...args]);
  assert.deepEqual(lines, [
    ['moveTo', 20, 30], ['lineTo', 20, 80], ['lineTo', 120, 80],
    ['moveTo', 20, 80], ['lineTo', 20, 86.5], ['moveTo', 70, 80], ['lineTo', 70, 86.5],
    ['moveTo', 13.5, 67.5], ['lineTo', 20, 67.5],
  ]);
  const [{strokeStyle, lineWidth}] = of('stroke');
  assert.deepEqual([strokeStyle, lineWidth, of('setLineDash')[0].args, of('beginPath').length], ['#888888', 2, [[]], 1]);
  const bare = around({framed: false});
  assert.equal(bare.of('lineTo').length, 0);
});

test('ticks’ texts stand before the one axis and below the other', () => {
  const {text} = around({}, {ticks: {x: [[0.5, 'five']], y: [[0.25, 'two']]}});
  const [up] = text('two'), [along] = text('five');
  assert.deepEqual([up.args, up.textAlign, up.textBaseline, up.fillStyle, size(up)], [['two', 9.6, 67.5], 'right', 'middle', '#111111', SMALL]);
  assert.deepEqual([along.args, along.textAlign, along.fillStyle, size(along)], [['five', 70, 95], 'center', '#111111', SMALL]);
});

test('a text that would touch the one before is left out, and the last one stays on the panel', () => {
  // four letters are 24 pixels wide, and the next may begin 5.2 pixels later
  for (const [second, stays] of [[0.29, false], [0.3, true]]) {
    assert.equal(around({}, {ticks: {x: [[0, 'zero'], [second, 'next']], y: []}}).text('next').length, stays ? 1 : 0);
  }
  const [last] = around({}, {ticks: {x: [[0, 'a'], [1, 'a long last one']], y: []}}).text('a long last one');
  assert.equal(last.args[1], 140 - 45 - 1);
});

test('the axes’ labels stand below, and upright at the left', () => {
  const {text, of, calls} = around({x: {...axis, label: 'step'}, y: {...axis, label: 'error'}}, {});
  const [along] = text('step'), [up] = text('error');
  assert.deepEqual([along.args, along.textAlign, size(along)], [['step', 70, 115], 'center', 0.9 * 26]);
  assert.deepEqual([up.args, size(up)], [['error', 0, 0], 0.9 * 26]);
  assert.deepEqual([of('translate')[0].args, of('rotate')[0].args], [[0.9 * 26, 55], [-Math.PI / 2]]);
  const names = calls.map(({name}) => name), at = names.indexOf('translate');
  assert.deepEqual(names.slice(at - 1, at + 4), ['save', 'translate', 'rotate', 'fillText', 'restore']);
  assert.equal(around({}, {}).of('rotate').length, 0);
});

test('title, what stands beside it and the note are on the panel, further left where they would not fit', () => {
  const {text} = around({title: 'Title', aside: 'beside', note: 'a note'}, {width: 400});
  const [title] = text('Title'), [aside] = text('beside'), [note] = text('a note');
  assert.deepEqual([title.args, title.textAlign, title.fillStyle, size(title)], [['Title', 15, 0.85 * 26], 'left', '#111111', 26]);
  assert.deepEqual([aside.args, aside.textAlign, aside.fillStyle, size(aside)], [['beside', 385, 0.85 * 26], 'right', '#888888', SMALL]);
  assert.deepEqual([note.args, note.textAlign, note.fillStyle, size(note)], [['a note', 15, 130], 'left', '#888888', SMALL]);
  assert.deepEqual([title, aside, note].map(one => one.textBaseline), ['middle', 'middle', 'middle']);
  const left = (more, width) => around(more, {width}).text(Object.values(more)[0])[0].args[1];
  const wanted = (found, number) => assert.ok(Math.abs(found - number) < 1e-9, `${found} is not ${number}`);
  wanted(left({title: '20 letters are wider'}, 140), 140 - 7.8 - 120); // 6 pixels a letter
  wanted(left({note: '20 letters are wider'}, 140), 140 - 7.8 - 120);
  wanted(left({title: '20 letters are wider', aside: 'no'}, 180), 180 - 7.8 - 120 - 12 - 26);
  wanted(left({note: '20 letters are wider'}, 120), 7.8);
});

test('an entry of the legend is its sign or a piece of its line, and its name', () => {
  const entries = [
    {entry: {text: 'W1', colour: 'wrong', dash: [2, 1], sign: ''}, x: 15, y: 40, textAt: 60},
    {entry: {text: 'noise', colour: 'faint', dash: [], sign: '▼'}, x: 90, y: 40, textAt: 99},
  ];
  const {calls, of, text} = around({framed: false}, {legend: entries});
  const lines = calls.filter(({name}) => ['beginPath', 'moveTo', 'lineTo', 'stroke'].includes(name)).map(({name, args}) => [name, ...args]);
  assert.deepEqual(lines, [['beginPath'], ['moveTo', 15, 40], ['lineTo', 54, 40], ['stroke']]);
  const [{strokeStyle, lineWidth}] = of('stroke');
  assert.deepEqual([strokeStyle, lineWidth, of('setLineDash').at(-1).args], ['#c04a00', 4, [[8, 4]]]);
  const [sign] = text('▼'), [one] = text('W1'), [other] = text('noise');
  assert.deepEqual([sign.args, sign.fillStyle, size(sign)], [['▼', 90, 40], '#888888', SMALL]);
  assert.deepEqual([sign.textAlign, sign.textBaseline], ['left', 'middle']);
  assert.deepEqual([one.args, one.fillStyle, other.args, other.fillStyle], [['W1', 60, 40], '#111111', ['noise', 99, 40], '#111111']);
});

test('where nothing lies below the curves a ghost still does', () => {
  const ghost = {x: axis, y: axis, marks: [curve({x: [0, 2], y: [8, 2]})], numbers: packed([0, 1], [0, 1])};
  for (const marks of [[curve({x: [0, 2], y: [8, 2]})], []]) {
    const {of} = painted(chart(marks), ghost);
    const opacities = of('stroke').filter(call => call.lineWidth === 2).map(call => call.globalAlpha);
    assert.deepEqual(opacities, [0.38, ...marks.map(() => 1)]);
  }
});

test('a ghost has no place where one of its axes is logarithmic and this one’s is not', () => {
  const half = {x: axis, y: {...axis, log: false}, marks: [curve({x: [0, 2], y: [8, 2]})], numbers: packed([0, 1], [0, 1])};
  for (const ghost of [half, {...half, x: half.y, y: axis}]) {
    assert.equal(painted(chart([]), ghost).of('stroke').filter(call => call.globalAlpha < 1).length, 0);
  }
});

test('a paper counts as dark by its green, below the middle', () => {
  const ghost = {x: axis, y: axis, marks: [curve({x: [0, 2], y: [8, 2]})], numbers: packed([0, 1], [0, 1])};
  for (const [paper, opacity] of [['#ff7fff', 0.6], ['#008000', 0.38]]) {
    const {of} = painted(chart([]), ghost, {...ROLES, paper});
    assert.ok(of('stroke').some(call => call.globalAlpha === opacity), paper);
  }
});
