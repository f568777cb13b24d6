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
