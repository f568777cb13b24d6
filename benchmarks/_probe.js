// Watches one cell's output, and says when which picture or line of text came to the screen.
//
// A picture counts from the moment it can be painted: the image's own `load` event, then the next
// animation frame, then the task after it. A line of text counts likewise from its change. What is
// overtaken before it could be painted was never seen, and does not count. The lab's board draws in
// an animation frame and says so by an event: then the task after it counts.
(() => {
  const PICTURE = 'img, .gradlab-panel';
  const blobs = new Map();
  const makeURL = URL.createObjectURL;
  URL.createObjectURL = blob => {
    const url = makeURL.call(URL, blob);
    blobs.set(url, blob);
    return url;
  };

  // The checksum of a PNG's pixels stands 16 bytes before its end: a name for the picture.
  async function nameOf(source) {
    const blob = blobs.get(source) ?? await (await fetch(source)).blob();
    const bytes = new Uint8Array(await blob.slice(-16, -12).arrayBuffer());
    return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  }

  class Probe {
    constructor(root, text) {
      Object.assign(this, {root, text, waiting: null, events: [], frames: [], on: true});
      Object.assign(this, {blanks: 0, heights: new Set(), dragging: false});
      this.changes = new MutationObserver(records => this.changed(records));
      const everything = {subtree: true, childList: true, characterData: true, attributes: true};
      this.changes.observe(root, text ? everything : {...everything, attributeFilter: ['src']});
      root.addEventListener('load', event => this.loaded(event.target), true);
      root.addEventListener('gradlab-drawn', event => this.drawn(event.target));
      this.noteEvent = () => this.events.push(performance.now());
      this.errors = [];
      window.addEventListener('error', event => this.errors.push(event.message));
      window.addEventListener('unhandledrejection', event => this.errors.push(`${event.reason}`));
      window.addEventListener('keydown', this.noteEvent, true);
      new ResizeObserver(([entry]) => this.heights.add(Math.round(entry.contentRect.height)))
        .observe(root);
      requestAnimationFrame(() => this.tick());
    }

    changed() {
      if (!this.text) return;
      const line = this.root.querySelector(this.text)?.textContent ?? '';
      if (line !== this.line) this.waiting = this.line = line;
    }

    loaded(image) {
      if (this.text || image.tagName !== 'IMG') return;
      const pictures = [...this.root.querySelectorAll('img')];
      this.waiting = [pictures.indexOf(image), image.currentSrc];
    }

    drawn(board) {
      if (!this.text) this.note(['board', board.dataset.shows]);
    }

    note(shown) {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => this.frames.push([performance.now(), shown]);
      channel.port2.postMessage(null);
    }

    tick() {
      if (!this.on) return;
      requestAnimationFrame(() => this.tick());
      if (this.dragging) this.look();
      if (this.waiting === null) return;
      this.note(this.waiting);
      this.waiting = null;
    }

    // What must never be: nothing where something was. Whether the picture that stands there shows
    // something is for the film to tell, and whether its place jumps is told by the ResizeObserver.
    look() {
      if (!this.root.querySelector(this.text ?? PICTURE)) this.blanks += 1;
    }

    reset() {
      Object.assign(this, {events: [], frames: [], blanks: 0, heights: new Set()});
    }

    quietFor(milliseconds) {
      const last = Math.max(this.frames.at(-1)?.[0] ?? 0, this.events.at(-1) ?? 0);
      return performance.now() - last > milliseconds;
    }

    // `count` mouse moves in `milliseconds`, as many in each animation frame as are due: that is
    // also when a browser hands a real mouse's moves to the page.
    drag(handle, sign, count, milliseconds) {
      this.reset();
      const pixels = sign * handle.closest('.noUi-base').getBoundingClientRect().width;
      const box = handle.getBoundingClientRect();
      const x = box.x + box.width / 2, clientY = box.y + box.height / 2;
      const send = (kind, clientX, target) => target.dispatchEvent(new MouseEvent(kind,
        {bubbles: true, cancelable: true, view: window, clientX, clientY, buttons: 1}));
      this.dragging = true;
      return new Promise(done => {
        send('mousedown', x, handle);
        const start = performance.now();
        const move = () => {
          const share = (performance.now() - start) / milliseconds;
          const due = Math.min(count, Math.floor(share * count));
          while (this.events.length < due) {
            this.noteEvent();
            send('mousemove', x + pixels * this.events.length / count, document.documentElement);
          }
          if (this.events.length < count) return requestAnimationFrame(move);
          send('mouseup', x + pixels, document.documentElement);
          this.dragging = false;
          done();
        };
        requestAnimationFrame(move);
      });
    }

    box() {
      const {x, y, width, height} = this.root.querySelector(PICTURE).getBoundingClientRect();
      return {x, y, width, height, page: window.innerWidth};
    }

    async report() {
      const frames = [];
      for (const [time, shown] of this.frames) {
        const [place, source] = this.text ? [0, null] : shown;
        const name = this.text ? shown : place === 'board' ? source : await nameOf(source);
        frames.push({time, place, name});
      }
      blobs.clear();
      return {events: this.events, frames, blanks: this.blanks, jumps: this.heights.size};
    }
  }
  window.GradlabProbe = Probe;
})();
