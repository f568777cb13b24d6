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
