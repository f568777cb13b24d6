// The lab's board: the banner, the panels, and what the page and the kernel tell each other.
//
// A panel is a chart that the kernel describes in numbers, and that is laid out, coloured and drawn here.
import {Voice, makeRoom, rewrite} from './banner.js';
import {Kernel} from './kernel.js';
import {fillScreen, listenTo, save} from './shortcuts.js';
import {emOf, stretched} from './layout.js';
import {keepNamed} from './names.js';
import {numbersOf} from './paint.js';
import {Panel} from './panel.js';
import {Slides} from './slides.js';

const AT_REST = 150; // ms without a frame: somebody reads now
const SHARE = 0.75; // of the window's height, for sliders, banner, one row of pictures and the groups' buttons
const PRESENTED = 15; // pixels: text that is larger is for the back of a room, and the pictures come first
const SCROLL_BAR = 20; // pixels: a width that differs by no more is no other page
const BELOW = 5; // em: the line below the pictures and those buttons

// Drawing waits for the screen's next frame: until then the page takes the kernel's other messages,
// and sends the slider's next value while this one is drawn. A page in the background has no frames.
function nextFrame() {
  return new Promise(done => {
    if (document.hidden) done();
    else requestAnimationFrame(() => done());
  });
}

class BoardView {
  constructor({model, el}) {
    Object.assign(this, {model, el, listening: new AbortController(), ends: []});
    const send = (content, callbacks) => this.send(content, callbacks);
    this.slides = new Slides(send);
    this.voice = new Voice();
    const say = text => this.voice.say(text);
    this.panels = Object.entries(model.get('panels')).map(([name, about]) => (
      new Panel(name, about, (panel, x, y) => send({panel, x, y}), say)
    ));
    const names = ['answer', 'restarted', 'panels', 'cost', 'em'];
    const parts = names.map(name => Object.assign(document.createElement('div'), {className: `gradlab-${name}`}));
    [this.banner, this.nobody, this.pictures, this.cost, this.em] = parts;
    this.nobody.setAttribute('role', 'alert');
    this.pictures.append(...this.panels.map(panel => panel.root));
    this.page = crypto.getRandomValues(new Uint32Array(2)).join('-'); // its name, among others with this lab
    el.classList.add('gradlab-board');
    el.append(...parts, this.voice.root);
    this.kernel = new Kernel(model.widget_manager, text => this.tellNobody(text));
    this.watchModel();
    this.watchPage();
    this.update();
  }

  // -- what it listens to -------------------------------------------------------------------------

  watchModel() {
    const {model} = this;
    const on = (name, callback) => {
      model.on(name, callback);
      this.ends.push(() => model.off(name, callback));
    };
    on('change:visible change:theme', () => this.arrange());
    on('change', () => {
      this.kernel.answered();
      this.update();
    });
    on('msg:custom', (message, buffers) => this.obey(message, buffers));
    on('comm_live_update', () => this.kernel.restarted(this.cell()));
  }

  // Width and text size by observers; the theme, the window's height and the screen have events.
  watchPage() {
    const {signal} = this.listening;
    const sizes = new ResizeObserver(() => {
      this.join();
      this.arrange();
    });
    sizes.observe(this.el);
    sizes.observe(this.em); // grows with the page's text
    const theme = new MutationObserver(() => this.arrange());
    theme.observe(document.body, {attributeFilter: ['data-jp-theme-light']});
    window.addEventListener('resize', () => this.arrange(), {signal});
    document.addEventListener('fullscreenchange', () => this.arrange(), {signal});
    const views = new IntersectionObserver(changes => this.look(changes));
    for (const panel of this.panels) views.observe(panel.root);
    this.ends.push(() => sizes.disconnect(), () => theme.disconnect(), () => views.disconnect());
    this.watchScreen();
  }

  watchScreen() { // a query tells once that the resolution is no longer that of now
    const query = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener('change', () => {
      this.arrange();
      this.watchScreen();
    }, {once: true, signal: this.listening.signal});
  }

  // The lab around the board is on the page only after the board itself was made.
  join() {
    const lab = this.el.closest('.gradlab-lab');
    if (!lab || lab === this.lab) return;
    this.lab = lab;
    this.ends.push(keepNamed(lab, () => this.slides.follow(lab)));
    listenTo(lab, wish => this.send({[wish]: true}), this.listening.signal);
  }

  // What nobody has before their eyes is neither computed nor drawn while something moves.
  look(changes) {
    for (const {target, isIntersecting} of changes) {
      const panel = this.panels.find(one => one.root === target);
      panel.inView = isIntersecting;
      if (isIntersecting && panel.waits) panel.paint();
    }
    this.tellView(this.panels.filter(panel => panel.inView).map(panel => panel.name));
  }

  tellView(names) {
    this.model.send({page: this.page, in_view: names});
  }

  // -- kernel and page ----------------------------------------------------------------------------

  send(content, {iopub} = {}) {
    this.kernel.asked();
    const status = message => {
      this.kernel.answered();
      iopub?.status(message);
    };
    this.model.send(content, {iopub: {status}});
  }

  obey(message, buffers) {
    if (message.copy) navigator.clipboard?.writeText(message.copy).catch(() => {});
    if (message.save) save(message.save, message.mime, buffers[0]);
    if (message.see) this.lab?.querySelector(message.see)?.scrollIntoView({block: 'nearest'});
    if (message.fullscreen && this.lab) fillScreen(this.lab);
  }

  tellNobody(text) {
    this.nobody.textContent = text;
    this.el.toggleAttribute('data-nobody', text !== '');
  }

  cell() { // "[3]:"
    return this.el.closest('.jp-Cell')?.querySelector('.jp-InputPrompt')?.textContent.trim() ?? '';
  }

  // -- drawing ------------------------------------------------------------------------------------

  // The colours of each role now.
  roles() {
    const {light, dark} = this.model.get('colours'), theme = this.model.get('theme');
    const isDark = theme === 'auto' ? document.body.dataset.jpThemeLight === 'false' : theme === 'dark';
    for (const verdict of ['correct', 'wrong', 'inconclusive']) {
      this.el.style.setProperty(`--gradlab-${verdict}`, light[verdict]); // white stands on them
    }
    return isDark ? dark : light;
  }

  // Gives the banner and every panel its size, place and colours, and draws what that changes.
  arrange() {
    const visible = this.model.get('visible'), room = this.room();
    if (!(Math.abs(room.width - this.width) <= SCROLL_BAR) || room.em !== this.pageEm) {
      Object.assign(this, {width: room.width, pageEm: room.em});
      makeRoom(this.banner, true);
    }
    const shown = this.panels.filter(panel => visible.includes(panel.name));
    const order = shown.sort((one, other) => visible.indexOf(one.name) - visible.indexOf(other.name));
    const widths = order.map(panel => panel.about.width);
    if (room.width) this.size = emOf(widths, room, this.size); // hidden, it keeps its size and takes the theme
    if (!this.size) return;
    const roles = this.roles();
    for (const panel of this.panels) {
      panel.root.hidden = !shown.includes(panel);
      panel.root.style.order = visible.indexOf(panel.name);
    }
    const pixels = stretched(widths, room.width, this.size);
    order.forEach((panel, i) => {
      panel.resize(this.size, room.width ? pixels[i] : panel.size[0], roles);
      if (panel.fresh) panel.paint();
    });
  }

  // How much there is for the pictures, and the page's em; in pixels.
  room() {
    const em = this.em.getBoundingClientRect().width / 10 || 13;
    const top = this.lab ? this.pictures.getBoundingClientRect().top - this.lab.getBoundingClientRect().top : 0;
    const alone = (this.lab && document.fullscreenElement === this.lab) || em > PRESENTED;
    const share = alone ? 0.85 : SHARE;
    return {em, width: Math.floor(this.pictures.getBoundingClientRect().width), height: share * window.innerHeight - top - BELOW * em};
  }

  // What comes before the screen's next frame is drawn in one task, the latest only.
  async update() {
    delete this.el.dataset.rests;
    clearTimeout(this.resting); // set for what was there before
    if (this.busy) return;
    this.busy = true;
    await nextFrame();
    this.busy = false;
    if (!this.listening.signal.aborted) this.show();
  }

  show() {
    const {model, el} = this, ink = model.get('ink'), ghost = model.get('ghost');
    const numbers = numbersOf(ink.bytes);
    if (ghost !== this.ghost) [this.ghost, this.ghostNumbers] = [ghost, numbersOf(ghost.bytes)];
    const visible = model.get('visible');
    for (const panel of this.panels) {
      if (!visible.includes(panel.name)) continue;
      panel.take(model.get(`chart_${panel.name}`));
      panel.haunt(ghost.charts?.[panel.name], this.ghostNumbers);
      panel.draw(ink.marks[panel.name], numbers, ink.sharp);
    }
    const words = model.get('banner'); // escaped HTML
    if (words !== this.written) rewrite(this.banner, this.written = words);
    if (ink.sharp) makeRoom(this.banner);
    this.resting = setTimeout(() => this.rest(ink), AT_REST);
    el.dataset.shows = ink.shows;
    el.dispatchEvent(new CustomEvent('gradlab-drawn', {bubbles: true}));
  }

  rest(ink) { // nobody reads in the midst of a drag
    const told = this.model.get('told');
    for (const panel of this.panels) panel.tell(told.alt[panel.name] ?? panel.about.title);
    this.cost.textContent = told.cost;
    this.voice.say(told.said);
    if (ink.sharp) this.el.dataset.rests = ''; // the last frame until somebody moves something
  }

  end() {
    clearTimeout(this.resting);
    this.listening.abort();
    this.kernel.stop();
    for (const end of this.ends) end();
    this.tellView([]);
  }
}

function render(context) {
  const view = new BoardView(context);
  return () => view.end();
}
export default {render};
