// One picture on the page: the mouse and the keys on it, how it is drawn anew, and when it pales.
//
// A chart that seldom changes is drawn once on a sheet that nobody sees and kept, and over a copy of it
// what moves.
import {Place, frameOf} from './frame.js';
import {HEIGHT} from './layout.js';
import {font, numbersOf, paintChart, paintMarks, penOf} from './paint.js';
import {spoken, toData} from './scales.js';
import {WHOLE, isWhole, selected, zoomed} from './zoom.js';

const A_CLICK = 4; // pixels: who moves less did not mean to select anything
const MISSED = 6; // frames of a drag: a panel that takes turns with others comes sooner
const TWICE = 250; // ms within which a second click makes a double one
const STEP = 0.02; // of the axes, for an arrow key; with Shift five of them
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};

export class Panel {
  // `about` has the title, the width in em, whether it zooms, and a hint if a click does something;
  // `clicked(name, x, y)` is told where in the data; `say(text)` tells who listens.
  constructor(name, about, clicked, say) {
    Object.assign(this, {name, about, clicked, say, view: WHOLE, size: [0, 0], chart: null, ghost: null, moving: [], missed: 0, inView: true});
    this.root = document.createElement('div');
    this.root.className = 'gradlab-panel';
    this.root.dataset.panel = name;
    this.root.setAttribute('role', 'img');
    this.root.setAttribute('aria-label', about.title);
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'gradlab';
    this.canvas.setAttribute('aria-hidden', 'true');
    this.words = document.createElement('div'); // why there is nothing to show
    this.words.className = 'gradlab-says';
    this.root.append(this.canvas, this.words);
    if (about.hint || about.zooms) this.listen();
  }

  // -- what it shows ------------------------------------------------------------------------------

  // Gives the picture its size on the page, in pixels, and a pixel for each of the screen's.
  resize(em, width, theme) {
    const ratio = Math.min(4, Math.max(1, window.devicePixelRatio));
    if (em === this.em && width === this.size[0] && ratio === this.ratio && theme === this.theme) return;
    Object.assign(this, {em, ratio, theme, fresh: true});
    this.size = [width, Math.floor(HEIGHT * em)];
    this.root.style.width = `${this.size[0]}px`;
    this.root.style.height = `${this.size[1]}px`;
    const pixels = this.size.map(length => Math.round(length * ratio));
    [this.canvas.width, this.canvas.height] = pixels;
    this.paper = new OffscreenCanvas(...pixels);
  }

  // Takes a chart as it came from the kernel: {says: why} where there is nothing to show.
  take(chart) {
    if (chart === this.came) return;
    this.came = chart;
    this.chart = chart.marks ? chart : null;
    this.numbers = numbersOf(chart.bytes);
    this.moving = []; // it lay on the axes of before; where the page overtook its message, none comes with this chart
    this.words.textContent = chart.says ? `${this.about.title}: ${chart.says}` : '';
    this.fresh = true;
  }

  haunt(ghost, numbers) {
    if (ghost === this.ghost?.came) return;
    this.ghost = ghost ? {...ghost, numbers, came: ghost} : null;
    this.fresh = true;
  }

  // Draws what moves, over the rest. Without `marks` it keeps what it shows, and pales unless its turn comes soon:
  // else it comes when nothing moves. So does that of a panel that is out of view, `sharp` or not it is drawn then.
  draw(marks, numbers, sharp) {
    this.missed = marks ? 0 : this.missed + 1;
    this.root.classList.toggle('gradlab-stale', this.chart !== null && this.missed > MISSED);
    if (marks && !(marks.length === 0 && this.moving.length === 0)) {
      Object.assign(this, {moving: marks, at: numbers, changed: true});
    }
    if (this.waits && (this.inView || sharp)) this.paint();
  }

  get waits() { // to be painted
    return this.fresh || this.changed;
  }

  paint() {
    if (!this.paper) return; // not on the page yet
    const pen = canvas => {
      const ctx = canvas.getContext('2d', {alpha: false});
      ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      return ctx;
    };
    if (this.fresh) {
      const ctx = pen(this.paper);
      ctx.fillStyle = this.theme.paper;
      ctx.fillRect(0, 0, ...this.size.map(length => length + 1)); // the last pixel too, where it is a part of one
      if (this.chart) this.paintStill(ctx);
    }
    this.fresh = this.changed = false;
    const ctx = pen(this.canvas);
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.paper, 0, 0);
    ctx.restore();
    if (this.chart) {
      if (this.at) paintMarks(penOf(ctx, this.place, this.theme), this.moving, this.at);
      this.paintHand(ctx);
    }
  }

  paintStill(ctx) {
    const measure = (text, size) => {
      ctx.font = font(size * this.em);
      return ctx.measureText(text).width;
    };
    const frame = frameOf(this.chart, this.size, this.em, measure, this.view);
    this.place = new Place(frame.box, this.view, this.em);
    paintChart(penOf(ctx, this.place, this.theme), this.chart, frame, this.numbers, this.ghost);
  }

  // What a hand does just now: the cross of the keyboard, the area that is selected.
  paintHand(ctx) {
    const {box} = this.place;
    ctx.strokeStyle = this.theme.ink;
    ctx.lineWidth = 1;
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    const x = this.place.x(this.cross?.x), y = this.place.y(this.cross?.y);
    if (this.cross && !this.chart.framed) ctx.ellipse(x, y, 2 * this.em, 0.9 * this.em, 0, 0, 2 * Math.PI);
    else if (this.cross) {
      ctx.moveTo(x, box.y);
      ctx.lineTo(x, box.y + box.height);
      ctx.moveTo(box.x, y);
      ctx.lineTo(box.x + box.width, y);
    }
    if (this.corner) {
      const left = this.place.x(this.corner.x), top = this.place.y(this.corner.y);
      ctx.rect(left, top, this.place.x(this.other.x) - left, this.place.y(this.other.y) - top);
    }
    ctx.stroke();
  }

  tell(text) {
    if (this.told !== text) this.root.setAttribute('aria-label', this.told = text);
  }

  // -- what a person does -------------------------------------------------------------------------

  listen() {
    const {root, about} = this;
    const keys = [
      about.hint && 'arrow keys move a cross, Enter chooses there',
      about.zooms && 'plus and minus enlarge and reduce, 0 shows all',
    ];
    const hands = [about.hint, about.zooms && 'Select an area to enlarge it, double click to see all.'];
    root.title = hands.filter(Boolean).join(' ');
    root.setAttribute('aria-description', keys.filter(Boolean).join('; '));
    root.tabIndex = 0;
    root.dataset.lmSuppressShortcuts = 'true'; // JupyterLab would take the keys for its own
    root.addEventListener('keydown', event => this.key(event));
    root.addEventListener('blur', () => this.hand({cross: null, corner: null}));
    root.addEventListener('click', event => this.click(event));
    if (!about.zooms) return;
    root.addEventListener('dblclick', () => this.look(WHOLE));
    root.addEventListener('pointerdown', event => this.hold(event));
    root.addEventListener('pointermove', event => this.stretch(event));
    root.addEventListener('pointerup', () => this.letGo());
    root.addEventListener('pointercancel', () => this.hand({corner: null, from: null}));
  }

  // Where on the axes a mouse is, or null.
  shares(event) {
    if (!this.chart || !this.place) return null;
    const {x, y} = this.root.getBoundingClientRect();
    return this.place.shares(event.clientX - x, event.clientY - y, this.chart.right);
  }

  click(event) {
    const at = this.shares(event);
    if (this.dragged || !at || !this.about.hint) return;
    clearTimeout(this.soon);
    if (isWhole(this.view)) this.choose(at);
    else if (event.detail < 2) this.soon = setTimeout(() => this.choose(at), TWICE); // unless it is a double click
  }

  choose({x, y}) {
    const round = (axis, share) => Number(toData(axis, share).toPrecision(axis.log ? 3 : 6)); // finer than a pixel
    this.clicked(this.name, round(this.chart.x, x), round(this.chart.y, y));
  }

  hold(event) {
    this.dragged = false;
    if (event.button !== 0 || !(this.from = this.shares(event))) return;
    this.start = [event.clientX, event.clientY];
    this.root.setPointerCapture(event.pointerId);
  }

  stretch(event) {
    if (!this.from) return;
    this.dragged ||= Math.hypot(event.clientX - this.start[0], event.clientY - this.start[1]) >= A_CLICK;
    if (!this.dragged) return;
    const {x, y} = this.root.getBoundingClientRect();
    this.hand({corner: this.from, other: this.place.nearest(event.clientX - x, event.clientY - y)});
  }

  letGo() {
    const {corner, other} = this;
    this.hand({from: null, corner: null});
    if (corner && this.dragged) this.look(selected(corner, other));
  }

  hand(what) {
    Object.assign(this, what);
    this.paint();
  }

  look(view) {
    clearTimeout(this.soon);
    Object.assign(this, {view, fresh: true});
    this.paint();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.chart) return;
    if (!this.answer(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Does what a key asks for; returns whether it asks for anything.
  answer({key, shiftKey}) {
    if (key in ARROWS && this.about.hint) this.step(ARROWS[key], shiftKey ? 5 : 1);
    else if (key === 'Enter' && this.cross) this.choose(this.cross);
    else if (key === 'Escape' && (this.cross || !isWhole(this.view))) {
      this.cross = null;
      this.look(WHOLE);
    } else if (!this.about.zooms) return false;
    else if (key === '+' || key === '=') this.look(zoomed(this.view, this.middle(), 0.5));
    else if (key === '-') this.look(zoomed(this.view, this.middle(), 2));
    else if (key === '0') this.look(WHOLE);
    else return false;
    return true;
  }

  middle() {
    const {x, y} = this.view;
    return this.cross ?? {x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2};
  }

  // Moves the cross: along the axes, or where there are none from one text to the next.
  step([right, up], many) {
    if (!this.chart.framed) return this.hop(right, up);
    const {x, y} = this.view, now = this.middle(), size = this.cross ? STEP * many : 0;
    const along = ([from, to], share, way) => Math.min(to, Math.max(from, share + way * size * (to - from)));
    this.hand({cross: {x: along(x, now.x, right), y: along(y, now.y, up)}});
    this.say(`${this.read(this.chart.x, this.cross.x)}, ${this.read(this.chart.y, this.cross.y)}`);
  }

  // A place on an axis in words: the axis's own word for it, or the number.
  read(axis, share) {
    if (axis.free || !axis.ticks.length) return `${axis.label} ${spoken(toData(axis, share))}`.trim();
    const off = ([at]) => Math.abs(at - share);
    return axis.ticks.reduce((best, tick) => (off(tick) < off(best) ? tick : best))[1];
  }

  hop(right, up) {
    const texts = this.texts(), now = this.cross;
    const ahead = now ? texts.filter(one => (one.x - now.x) * right + (one.y - now.y) * up > 1e-6) : texts;
    const off = (one, key, start) => Math.abs(one[key] - (now?.[key] ?? start)); // the first: above, at the left
    const cost = one => off(one, 'x', 0) * (right ? 1 : 4) + off(one, 'y', 1) * (up ? 1 : 4);
    const next = ahead.sort((one, other) => cost(one) - cost(other))[0] ?? now;
    if (!next) return;
    this.hand({cross: next});
    this.say(next.text);
  }

  // The texts of the chart, and where they stand.
  texts() {
    const of = (marks, numbers) => marks.filter(mark => mark.kind === 'words').flatMap(mark => {
      const x = numbers.floats(mark.x), y = numbers.floats(mark.y);
      return mark.texts.map((text, i) => ({text, x: x[i], y: y[i]}));
    });
    return [...of(this.chart.marks, this.numbers), ...(this.at ? of(this.moving, this.at) : [])];
  }
}
