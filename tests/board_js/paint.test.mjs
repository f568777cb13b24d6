import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Place, frameOf} from '../../gradlab/lab/board/frame.js';
import {numbersOf, paintChart, paintMarks, penOf} from '../../gradlab/lab/board/paint.js';
import {WHOLE} from '../../gradlab/lab/board/zoom.js';

// A context that remembers what it was told, each call with the colours and the opacity of then.
function recorder() {
  const calls = [], state = {globalAlpha: 1}, saved = [];
  const ctx = new Proxy(state, {
    get: (_, name) => {
      if (name in state) return state[name];
      if (name === 'measureText') return text => ({width: 6 * text.length});
      if (name === 'save') saved.push({...state});
      if (name === 'restore') Object.assign(state, saved.pop());
      return (...args) => calls.push({name, args, ...state});
    },
    set: (_, name, value) => {
      state[name] = value;
      return true;
    },
  });
  return {ctx, calls, of: name => calls.filter(call => call.name === name)};
}

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
