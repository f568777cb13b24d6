// While a handle is dragged, where it stands goes to the kernel by the board's own messages.
//
// ipywidgets sends a slider's next value only when the last one was answered: over a distance, as with
// Binder, a drag would become a few jumps. Here as many values may be under way as the way holds, and the
// kernel has time for; of those that come meanwhile only the latest waits. When the handle is let go ipywidgets
// sends the value as ever, at once, and so for keys and typed values.
const MOST = 8;
const FRAME = 17; // ms: what comes faster than the screen's frames is not seen
const GIVEN_UP = 2000; // ms: later than that no answer is expected

export class Slides {
  constructor(send) {
    Object.assign(this, {send, underWay: new Set(), waiting: null, travel: Infinity, limit: 1});
    this.followed = new WeakSet();
  }

  // Takes the sliders in `lab` that have a class gradlab-slides-<setting>; those it has, once.
  follow(lab) {
    for (const control of lab.querySelectorAll('[class*="gradlab-slides-"]')) {
      const slider = control.querySelector('.noUi-target')?.noUiSlider;
      const [, name] = control.className.match(/gradlab-slides-(\w+)/);
      if (!slider || this.followed.has(slider)) continue;
      this.followed.add(slider);
      let held = false;
      slider.on('start', () => { held = true; });
      slider.on('slide', (texts, handle, values) => {
        if (held) this.offer({slide: name, to: values[handle]});
      });
      slider.on('end', () => { // back where it was before, ipywidgets sends nothing
        held = false;
        if (this.waiting) this.go();
      });
    }
  }

  offer(value) {
    this.waiting = value;
    const now = performance.now();
    for (const one of this.underWay) if (now - one.at > GIVEN_UP) this.underWay.delete(one);
    if (this.underWay.size < this.limit) this.go();
  }

  go() {
    const one = {at: performance.now(), among: this.underWay.size + 1};
    this.underWay.add(one);
    this.send(this.waiting, {iopub: {status: message => this.answered(one, message)}});
    this.waiting = null;
  }

  // The kernel says when it began and when it was done; the rest of the time was the way, at its shortest. What
  // an answer took beyond that it waited behind others, in the kernel or wherever else it is slow: a longer
  // queue shows no more and shows it later.
  answered(one, {header, content}) {
    if (content.execution_state === 'busy') one.began = Date.parse(header.date);
    if (content.execution_state !== 'idle') return;
    this.underWay.delete(one);
    const work = Date.parse(header.date) - one.began || 0, taken = performance.now() - one.at;
    this.travel = Math.max(0, Math.min(this.travel, taken - work)); // clocks have grains
    const each = Math.max(work, (taken - this.travel) / one.among, FRAME);
    this.limit = Math.min(MOST, 1 + Math.round(this.travel / each));
    if (this.waiting) this.offer(this.waiting);
  }
}
