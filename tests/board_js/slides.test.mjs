import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Slides} from '../../gradlab/lab/board/slides.js';

function sliding() {
  const sent = [];
  const slides = new Slides((value, callbacks) => sent.push({value, answer: callbacks.iopub.status}));
  const status = (state, date) => ({header: {date: new Date(date).toISOString()}, content: {execution_state: state}});
  const answer = ({answer: take}, work) => {
    take(status('busy', 0));
    take(status('idle', work));
  };
  return {slides, sent, answer};
}

test('the first goes at once, and of those that come meanwhile the latest', () => {
  const {slides, sent, answer} = sliding();
  for (const to of [1, 2, 3]) slides.offer({slide: 'eps', to});
  assert.deepEqual(sent.map(one => one.value.to), [1]);
  answer(sent[0], 20);
  assert.deepEqual(sent.map(one => one.value.to), [1, 3]);
});

test('a slider is followed once, however often the lab changes', () => {
  const events = [];
  const noUiSlider = {on: name => events.push(name)};
  const control = {querySelector: () => ({noUiSlider}), className: 'x gradlab-slides-eps'};
  const {slides} = sliding();
  slides.follow({querySelectorAll: () => [control]});
  slides.follow({querySelectorAll: () => [control]});
  assert.deepEqual(events, ['start', 'slide', 'end']);
});

// A drag of two seconds, 60 values a second, to a kernel that works `work` ms on each, one after the other,
// after `beside` ms of somebody else's; half of `trip` ms away. Returns when each was sent and answered.
function drag({trip, work, beside = 0}) {
  const {performance} = globalThis, sent = [], due = [];
  let now = 0, free = 0;
  globalThis.performance = {now: () => now};
  const slides = new Slides((value, {iopub: {status}}) => {
    const one = {to: value.to, at: now, among: slides.underWay.size};
    const began = Math.max(free, now + trip / 2) + beside;
    free = began + work;
    sent.push(one);
    due.push([free + trip / 2, () => {
      one.answered = now;
      for (const [state, at] of [['busy', began], ['idle', began + work]]) {
        status({header: {date: new Date(at).toISOString()}, content: {execution_state: state}});
      }
    }]);
  });
  for (let i = 0; i <= 120; i += 1) due.push([i * 2000 / 120, () => slides.offer({slide: 'eps', to: i})]);
  due.push([2001, () => { if (slides.waiting) slides.go(); }]); // let go
  while (due.length) {
    due.sort(([one], [other]) => one - other);
    const [at, happens] = due.shift();
    now = at;
    happens();
  }
  globalThis.performance = performance;
  assert.equal(sent.at(-1).to, 120, 'the last value goes out');
  return {
    frames: sent.filter(one => one.answered <= 2000).length / 2,
    final: sent.at(-1).answered - 2000,
    most: Math.max(...sent.map(one => one.among)),
  };
}

test('over a distance a quick kernel gives fifteen frames a second, and the end within two round trips', () => {
  for (const work of [1, 5, 17, 40]) {
    const {frames, final} = drag({trip: 150, work});
    assert.ok(frames >= 15, `${frames} frames a second, ${work} ms each`);
    assert.ok(final <= 300, `${final} ms, ${work} ms each`);
  }
});

test('a slow kernel is asked for little more than it answers', () => {
  const {frames, final, most} = drag({trip: 150, work: 200});
  assert.ok(frames >= 0.8 * 1000 / 200, `${frames} frames a second`);
  assert.ok(final <= 150 + 3.5 * 200, `${final} ms`);
  assert.ok(most <= 4, `${most} under way`);
});

test('near by one is under way', () => {
  assert.ok(drag({trip: 2, work: 8}).most <= 2);
});

test('what is slow beside the kernel gets no queue either', () => {
  const {frames, final} = drag({trip: 150, work: 5, beside: 60});
  assert.ok(frames >= 0.8 * 1000 / 65, `${frames} frames a second`);
  assert.ok(final <= 150 + 5 * 65, `${final} ms`);
});
