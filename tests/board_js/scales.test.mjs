import assert from 'node:assert/strict';
import {test} from 'node:test';
import {asInPython, between, linear, logarithmic, powerOfTen, spoken, ticksOf, toData, toShare, written}
  from '../../gradlab/lab/board/scales.js';

const LOG = {low: 1e-13, high: 1e-1, log: true, free: true, ticks: [[0, '10⁻¹³'], [1, '10⁻¹']]};
const LINE = {low: -2, high: 6, log: false, free: true, ticks: []};

test('shares and data are each other’s inverse', () => {
  for (const axis of [LOG, LINE]) {
    for (const share of [0, 0.25, 1]) {
      assert.ok(Math.abs(toShare(axis, toData(axis, share)) - share) < 1e-12);
    }
  }
  assert.equal(toShare(LINE, 0), 0.25);
  assert.ok(Math.abs(toData(LOG, 0.5) / 1e-7 - 1) < 1e-9);
});

test('a logarithmic axis gives zero a place far below, and an axis without length divides by nothing', () => {
  assert.ok(toShare(LOG, 0) < -10);
  assert.equal(toShare({low: 3, high: 3, log: false}, 3), 0);
});

test('another chart’s shares become those of this one, unless one is logarithmic', () => {
  const map = between(LOG, {...LOG, low: 1e-7});
  assert.ok(Math.abs(map(0.5)) < 1e-12);
  assert.ok(Math.abs(map(1) - 1) < 1e-12);
  assert.equal(between(LOG, LINE), null);
});

test('numbers as ticks say them', () => {
  assert.deepEqual([0, 1, -7, 13].map(powerOfTen), ['1', '10¹', '10⁻⁷', '10¹³']);
  assert.deepEqual([0, 0.02, -3, 1e-7, 2e-7, -5e8].map(written), ['0', '0.02', '−3', '10⁻⁷', '2·10⁻⁷', '−5·10⁸']);
  assert.deepEqual([0, 1.23456, 1e-6, 250].map(spoken), ['0', '1.23', '1.0e-06', '250']);
  assert.deepEqual(['1.0e-5', '2e+2', '1.0e-13', '0.5', '1e-'].map(asInPython), ['1.0e-05', '2e+02', '1.0e-13', '0.5', '1e-']);
});

test('a whole axis has the kernel’s ticks, a part of it its own', () => {
  assert.deepEqual(ticksOf(LOG, [0, 1]), LOG.ticks);
  const texts = ticksOf(LOG, [0.5, 0.75]).map(([, text]) => text);
  assert.deepEqual(texts, ['10⁻⁷', '10⁻⁶', '10⁻⁵', '10⁻⁴']);
});

test('names are kept where an axis has names: those that are in view', () => {
  const named = {low: 0, high: 3, log: false, free: false, ticks: [[0.1, 'W1'], [0.6, 'b1']]};
  assert.deepEqual(ticksOf(named, [0.5, 1]), [[0.6, 'b1']]);
});

test('at most seven ticks, at 1, 2 or 5 times a power of ten', () => {
  for (const size of [1, 3, 7, 12, 99]) {
    const found = linear(0, size);
    assert.ok(found.length >= 2 && found.length <= 8, `${size}: ${found}`);
  }
  assert.deepEqual(linear(0, 10), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(logarithmic(1e-2, 10), [1e-2, 1e-1, 1, 10]);
  assert.deepEqual(logarithmic(1e-2, 1e-1), [1e-2, 2e-2, 5e-2, 1e-1]);
  assert.ok(logarithmic(1e-17, 150).length <= 7);
  assert.ok(logarithmic(2.1e-5, 2.9e-5).length >= 2, 'a narrow part has ticks too');
  assert.deepEqual(linear(1, 1), []);
});

test('a tick’s number is plain from a thousandth to a hundred thousand, and has six digits', () => {
  const texts = [0.001, 0.00099, 99999, 1e5, 10000, 1e6, 1234567, 0.1234567, 1.2345678e-7, 100, -0.001, -2e-5];
  assert.deepEqual(texts.map(written), [
    '0.001', '9.9·10⁻⁴', '99999', '10⁵', '10000', '10⁶', '1.23457·10⁶', '0.123457', '1.23457·10⁻⁷', '100', '−0.001', '−2·10⁻⁵',
  ]);
});

test('a number is said in three digits, one that is very small or large with its power of ten', () => {
  const said = [0.001, 0.00099, -0.0001, 99900, 1e5, -250, 0.12345, 12345].map(spoken);
  assert.deepEqual(said, ['0.001', '9.9e-04', '-1.0e-04', '99900', '1.0e+05', '-250', '0.123', '12300']);
});

test('an axis of one value has a place for others too', () => {
  assert.equal(toShare({low: 3, high: 3, log: false}, 4), 1);
  assert.equal(toShare({low: 10, high: 10, log: true}, 1000), 2);
});

test('ticks at the ends of a view are in it, though a float missed them by a millionth', () => {
  const named = {low: 0, high: 3, log: false, free: false, ticks: [[0.2, 'a'], [0.4, 'b'], [0.6, 'c'], [0.8, 'd']]};
  const names = (from, to) => ticksOf(named, [from, to]).map(([, name]) => name).join('');
  assert.equal(names(0.4, 0.6), 'bc');
  assert.equal(names(0.4 + 5e-7, 0.6 - 5e-7), 'bc');
  assert.equal(names(0.4 + 2e-6, 0.6 - 2e-6), '');
  assert.deepEqual(ticksOf({low: 0, high: 1, log: false, free: false}, [0, 1]), [], 'an axis may have none');
});

test('a view that ends where the axis does is a part all the same', () => {
  const free = {low: 0, high: 8, log: false, free: true, ticks: [[0.5, 'the kernel’s']]};
  const texts = (from, to) => ticksOf(free, [from, to]).map(([, text]) => text);
  assert.deepEqual(texts(0, 1), ['the kernel’s']);
  assert.deepEqual(texts(0, 0.5), ['0', '1', '2', '3', '4']);
  assert.deepEqual(texts(0.5, 1), ['4', '5', '6', '7', '8']);
  assert.deepEqual(ticksOf({...free, low: 8, high: 0}, [0.5, 1]).map(([share]) => share), [1, 0.875, 0.75, 0.625, 0.5]);
});

test('ticks stand at round numbers: as many as there is room for, the ends with them', () => {
  for (const [low, high, wanted] of [
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]], [0, 3, [0, 0.5, 1, 1.5, 2, 2.5, 3]], [0, 6, [0, 1, 2, 3, 4, 5, 6]],
    [0, 7, [0, 2, 4, 6]], [0, 1.3, [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2]], [-4, 9, [-4, -2, 0, 2, 4, 6, 8]], [200, 240, [200, 210, 220, 230, 240]], [0, 70, [0, 20, 40, 60]],
    [1, 35, [5, 10, 15, 20, 25, 30, 35]], [1, 36, [10, 20, 30]], [3, 3, []], [4, 3, []],
  ]) {
    const found = linear(low, high);
    assert.equal(found.length, wanted.length, `${low} to ${high}: ${found}`);
    found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${low} to ${high}: ${found}`));
  }
});

test('on a logarithmic axis at powers of ten, in shorter parts at 1, 2 and 5 times these', () => {
  for (const [low, high, wanted] of [
    [1e-2, 1, [1e-2, 1e-1, 1]], [1e-3, 1e3, [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000]], [1e-4, 1e3, [1e-4, 1e-2, 1, 100]],
    [1e-16, 1, [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1]], [0.5, 2, [0.5, 1, 2]], [1.5, 6, [2, 5]], [0.02, 0.5, [0.02, 0.05, 0.1, 0.2, 0.5]],
    [3, 60, [5, 10, 20, 50]], [5, 10, [5, 10]], [1.1, 1.9, [1.2, 1.4, 1.6, 1.8]], [1.5, 4, [1.5, 2, 2.5, 3, 3.5, 4]],
  ]) {
    const found = logarithmic(low, high);
    assert.equal(found.length, wanted.length, `${low} to ${high}: ${found}`);
    found.forEach((value, i) => assert.ok(Math.abs(value / wanted[i] - 1) < 1e-9, `${low} to ${high}: ${found}`));
  }
});
