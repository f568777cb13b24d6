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

// A slider with its events, in a lab; what `slides` sends and when it may.
function held() {
  const events = {}, noUiSlider = {on: (name, does) => { events[name] = does; }};
  const control = {querySelector: () => ({noUiSlider}), className: 'x gradlab-slides-weight_scale'};
  const one = sliding();
  one.slides.follow({querySelectorAll: () => [{querySelector: () => null, className: 'gradlab-slides-eps'}, control]});
  const slide = to => events.slide([String(to)], 0, [to]);
  return {...one, events, slide};
}

test('a handle that is held sends its setting; one that the kernel moves does not', () => {
  const {sent, events, slide, answer} = held();
  slide(1);
  assert.deepEqual(sent, []);
  events.start();
  slide(2);
  slide(3);
  assert.deepEqual(sent.map(one => one.value), [{slide: 'weight_scale', to: 2}]);
  events.end(); // what waits goes at once
  assert.deepEqual(sent.map(one => one.value.to), [2, 3]);
  slide(4);
  assert.equal(sent.length, 2);
  answer(sent[0], 20);
  answer(sent[1], 20);
  events.start();
  slide(5);
  events.end();
  assert.deepEqual(sent.map(one => one.value.to), [2, 3, 5]);
});

test('what is not answered within two seconds holds up nothing', t => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const {slides, sent} = sliding();
  const offer = (at, to) => {
    now = at;
    slides.offer({slide: 'eps', to});
    return sent.map(one => one.value.to);
  };
  assert.deepEqual(offer(0, 1), [1]);
  assert.deepEqual(offer(2000, 2), [1]);
  assert.deepEqual(offer(2001, 3), [1, 3]);
  assert.deepEqual(offer(2002, 4), [1, 3]);
});

test('at most eight are under way, and as many as the way holds frames', () => {
  for (const [trip, work, wanted] of [[1000, 1, 8], [90, 30, 4], [0, 30, 1], [34, 1, 3]]) {
    let now = 0;
    const {performance} = globalThis;
    globalThis.performance = {now: () => now};
    const {slides, sent, answer} = sliding();
    slides.offer({slide: 'eps', to: 0});
    now = trip + work;
    answer(sent[0], work);
    for (let to = 1; to < 20; to += 1) slides.offer({slide: 'eps', to});
    globalThis.performance = performance;
    assert.equal(sent.length - 1, wanted, `${trip} ms away, ${work} ms each`);
  }
});

test('an answer that does not say when it began counts as no work', () => {
  let now = 0;
  const {performance} = globalThis;
  globalThis.performance = {now: () => now};
  const {slides, sent} = sliding();
  slides.offer({slide: 'eps', to: 0});
  now = 68;
  sent[0].answer({header: {date: new Date(5000).toISOString()}, content: {execution_state: 'idle'}});
  globalThis.performance = performance;
  assert.deepEqual([slides.travel, slides.limit, slides.underWay.size], [68, 5, 0]);
});
