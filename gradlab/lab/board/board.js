// Draws the lab's banner and panels. A panel is paper (axes, texts, curves: a PNG from the kernel, which
// seldom changes) and over it ink (what moves with a slider: a few numbers), drawn on a sheet that nobody
// sees and shown as one bitmap. So an event of a drag sends no picture, dots are sharp on every screen,
// and a panel that did not change costs the page nothing: a plain canvas is copied with every frame.

const FIXED_POINT = 32; // the kernel sends coordinates as integers, in 1/32 of a pixel

const FONT = size => `${size}px "DejaVu Sans", Verdana, sans-serif`;

const SMALL = new OffscreenCanvas(1, 1); // made once: a new one costs more than all the cells

const DRAW = {
  line(ctx, {points: [x1, y1, x2, y2], colour, width}) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  },

  // Groups of discs, a colour a group; `ends` says where each group ends.
  discs(ctx, {xy, ends, colours, radius, edge}, bytes) {
    const at = coordinates(bytes, xy);
    let i = 0;
    ends.forEach((end, group) => {
      ctx.beginPath();
      for (; i < end; i++) {
        const x = at[2 * i] / FIXED_POINT, y = at[2 * i + 1] / FIXED_POINT;
        ctx.moveTo(x + radius, y);
        ctx.arc(x, y, radius, 0, 2 * Math.PI);
      }
      ctx.fillStyle = colours[group];
      ctx.fill();
      if (edge) {
        ctx.strokeStyle = edge;
        ctx.lineWidth = 1;
        ctx.stroke();
      }
    });
  },

  // Short horizontal bars around their points.
  bars(ctx, {xy, half, colour, width}, bytes) {
    const at = coordinates(bytes, xy);
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (let i = 0; i < at.length; i += 2) {
      const x = at[i] / FIXED_POINT, y = at[i + 1] / FIXED_POINT;
      ctx.moveTo(x - half, y);
      ctx.lineTo(x + half, y);
    }
    ctx.stroke();
  },

  // A matrix as coloured cells that fill a box.
  cells(ctx, {box: [x, y, width, height], shape: [rows, columns], rgba}, bytes) {
    if (SMALL.width !== columns || SMALL.height !== rows) {
      Object.assign(SMALL, {width: columns, height: rows});
    }
    const colours = new Uint8ClampedArray(part(bytes, rgba));
    const pixels = SMALL.getContext('2d', {willReadFrequently: true}); // kept where bytes go quickly
    pixels.putImageData(new ImageData(colours, columns, rows), 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(SMALL, x, y, width, height);
  },

  // The same short text at many places.
  signs(ctx, {xy, text, colour, size}, bytes) {
    const at = coordinates(bytes, xy);
    ctx.fillStyle = colour;
    ctx.font = FONT(size);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (let i = 0; i < at.length; i += 2) {
      ctx.fillText(text, at[i] / FIXED_POINT, at[i + 1] / FIXED_POINT);
    }
  },

  words(ctx, {items, colour, size, align}) {
    ctx.fillStyle = colour;
    ctx.font = FONT(size);
    ctx.textAlign = align;
    ctx.textBaseline = 'middle';
    for (const [x, y, text] of items) ctx.fillText(text, x, y);
  },
};

// A copy, because the message's buffer need not be aligned for 16-bit numbers.
function part(bytes, [start, stop]) {
  return bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + stop);
}

function coordinates(bytes, place) {
  return new Uint16Array(part(bytes, place));
}

class Panel {
  constructor(name, size, pressed) {
    Object.assign(this, {name, size, png: null, bitmap: null});
    this.root = document.createElement('div');
    this.root.className = 'gradlab-panel';
    this.root.dataset.panel = name;
    this.root.setAttribute('role', 'img');
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'gradlab';
    this.canvas.setAttribute('aria-hidden', 'true');
    this.screen = this.canvas.getContext('bitmaprenderer');
    this.root.append(this.canvas);
    this.root.addEventListener('click', event => {
      const box = this.root.getBoundingClientRect();
      const scale = size[0] / box.width;
      pressed(name, (event.clientX - box.x) * scale, (event.clientY - box.y) * scale);
    });
  }

  // Gives the picture its size on the page, and a pixel for each of the screen's.
  resize(zoom) {
    this.root.style.width = `${zoom * this.size[0]}px`;
    this.root.style.height = `${zoom * this.size[1]}px`;
    const scale = zoom * Math.min(3, Math.max(1, window.devicePixelRatio));
    if (scale === this.scale) return;
    this.scale = scale;
    const pixels = this.size.map(length => Math.round(length * scale));
    this.sheet = new OffscreenCanvas(...pixels);
    this.paper = new OffscreenCanvas(...pixels);
    this.fresh = true;
  }

  async load(png) {
    this.png = png;
    if (!png.byteLength) return;
    const bytes = new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
    this.bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
    this.fresh = true;
  }

  draw({shapes, bytes}) {
    const now = shapes[this.name] ?? [];
    if (!this.bitmap || !this.fresh && this.empty && !now.length) return;
    this.empty = !now.length;
    const {width, height} = this.sheet;
    if (this.fresh) { // scaled once, and not for every frame
      const ctx = this.paper.getContext('2d', {alpha: false});
      ctx.imageSmoothingQuality = 'high';
      ctx.drawImage(this.bitmap, 0, 0, width, height);
      this.fresh = false;
    }
    const ctx = this.sheet.getContext('2d', {alpha: false});
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.paper, 0, 0);
    ctx.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    for (const shape of now) DRAW[shape.kind](ctx, shape, bytes);
    this.screen.transferFromImageBitmap(this.sheet.transferToImageBitmap());
  }

  tell(text) {
    if (this.told !== text) this.root.setAttribute('aria-label', this.told = text);
  }
}

// Says what changed, to who cannot see it, once it has stayed for a moment.
class Voice {
  constructor() {
    this.root = document.createElement('div');
    this.root.className = 'gradlab-voice';
    this.root.setAttribute('role', 'status');
    this.root.setAttribute('aria-live', 'polite');
  }

  say(text) {
    if (text === this.text) return;
    this.text = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.root.textContent = text; }, 500);
  }
}

// Makes `element` hold `html`, and keeps what is the same: from event to event only numbers change,
// and elements that are made anew cost the page more than the pictures do.
function rewrite(element, html) {
  const wanted = document.createElement('template');
  wanted.innerHTML = html;
  follow(element, wanted.content);
}

function follow(element, wanted) {
  const now = [...element.childNodes], then = [...wanted.childNodes];
  if (now.length !== then.length || now.some((node, i) => node.nodeName !== then[i].nodeName)) {
    element.replaceChildren(...then);
    return;
  }
  now.forEach((node, i) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data !== then[i].data) node.data = then[i].data;
    } else {
      for (const {name, value} of then[i].attributes) set(node, name, value);
      follow(node, then[i]);
    }
  });
}

// Drawing waits for the screen's next frame: until then the page takes the kernel's other messages,
// and sends the slider's next value while this one is drawn. A page in the background has no frames.
function nextFrame() {
  return new Promise(done => {
    if (document.hidden) done();
    else requestAnimationFrame(() => done());
  });
}

function render({model, el}) {
  const sizes = model.get('sizes');
  const pressed = (panel, x, y) => model.send({panel, x, y});
  const panels = Object.keys(sizes).map(name => new Panel(name, sizes[name], pressed));
  const voice = new Voice();
  const [banner, pictures, cost] = ['said', 'panels', 'cost'].map(name => {
    const part = document.createElement('div');
    part.className = `gradlab-${name}`;
    return part;
  });
  pictures.append(...panels.map(panel => panel.root));
  el.classList.add('gradlab-board');
  el.append(banner, pictures, cost, voice.root);
  let written = '';

  function arrange() {
    const visible = model.get('visible');
    for (const panel of panels) {
      panel.root.style.display = visible.includes(panel.name) ? '' : 'none';
      panel.root.style.order = visible.indexOf(panel.name);
      panel.resize(model.get('zoom'));
    }
  }

  // Paper and ink of one state come in one message and go to the screen in one task: ink waits for
  // the paper that came with it, and what comes meanwhile is drawn after it, the latest only.
  let stale = false, busy = false, resting;
  async function update() {
    stale = true;
    delete el.dataset.rests;
    if (busy) return;
    busy = true;
    while (stale) {
      stale = false;
      try {
        await show();
      } catch (error) { // the next event draws again
        console.error(error);
      }
    }
    busy = false;
  }

  async function show() {
    const renewed = () => panels.filter(panel => panel.png !== model.get(panel.name));
    const now = () => [model.get('ink'), model.get('banner')]; // the banner is escaped HTML
    let [ink, words] = now();
    const papers = renewed();
    if (papers.length) await Promise.all(papers.map(panel => panel.load(model.get(panel.name))));
    await nextFrame();
    if (!renewed().length) { // the latest, unless it waits for another paper
      stale = false;
      [ink, words] = now();
    }
    for (const panel of panels) panel.draw(ink);
    if (words !== written) rewrite(banner, written = words);
    clearTimeout(resting);
    resting = setTimeout(() => { // nobody reads in the midst of a drag
      const told = model.get('told');
      for (const panel of panels) panel.tell(told.alt[panel.name] ?? '');
      cost.textContent = told.cost;
      voice.say(told.said);
      if (ink.sharp) el.dataset.rests = ''; // the last frame until somebody moves something
    }, 150);
    el.dataset.shows = ink.shows;
    el.dispatchEvent(new CustomEvent('gradlab-drawn', {bubbles: true}));
  }

  const again = () => { arrange(); update(); };
  let onScreen;
  function watchScreen() { // a query tells once that the resolution is no longer that of now
    onScreen?.removeEventListener('change', watchScreen);
    onScreen = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    onScreen.addEventListener('change', watchScreen);
    again();
  }
  model.on('change:visible change:zoom', arrange);
  model.on('change', update);
  model.on('msg:custom', message => {
    if (message.copy) navigator.clipboard?.writeText(message.copy).catch(() => {});
  });
  // After a restart of the kernel nothing here moves any more: say so, and what to do.
  model.on('comm_live_update', () => {
    const lab = el.closest('.gradlab-lab');
    if (!lab || lab.querySelector('.gradlab-restarted')) return;
    const note = document.createElement('div');
    note.className = 'gradlab-restarted';
    note.setAttribute('role', 'alert');
    const cell = el.closest('.jp-Cell')?.querySelector('.jp-InputPrompt')?.textContent.trim() ?? '';
    note.textContent = 'The kernel was restarted and this lab with it. Run its cell again'
      + ` (the one above${cell ? `, ${cell}` : ''}), after the cells before it.`;
    lab.prepend(note);
  });
  watchScreen();
  // The lab around the board is on the page only after the board itself was made.
  let forget = () => {};
  const later = setTimeout(() => {
    const lab = el.closest('.gradlab-lab');
    if (!lab) return;
    forget = keepNamed(lab);
    new Slides((content, callbacks) => model.send(content, callbacks)).follow(lab);
  }, 0);
  return () => {
    clearTimeout(later);
    clearTimeout(resting);
    forget();
    model.off('change:visible change:zoom', arrange);
    model.off('change', update);
    onScreen.removeEventListener('change', watchScreen);
  };
}
export default {render};
