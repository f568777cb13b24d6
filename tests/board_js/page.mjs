// As much of a browser's page as the board's scripts use: elements, events, observers and canvases.

// A canvas's context that remembers what it was told, each call with the colours and the opacity of then.
export function recorder() {
  const calls = [], state = {globalAlpha: 1}, saved = [];
  const ctx = new Proxy(state, {
    get: (_, name) => {
      if (name in state) return state[name];
      if (name === 'measureText') {
        return text => {
          calls.push({name, args: [text], ...state});
          return {width: 6 * text.length};
        };
      }
      if (name === 'save') saved.push({...state});
      if (name === 'restore') Object.assign(state, saved.pop());
      return (...args) => calls.push({name, args, ...state});
    },
    set: (_, name, value) => {
      state[name] = value;
      return true;
    },
  });
  return {ctx, calls, of: name => calls.filter(call => call.name === name)};
}

class Canvas {
  constructor(width, height) {
    Object.assign(this, {width, height, recorded: recorder()});
  }

  getContext() {
    return this.recorded.ctx;
  }
}

class Text {
  #text;

  constructor(text) {
    this.#text = text;
    Object.assign(this, {nodeType: 3, nodeName: '#text', writes: 0}); // how often it was written, whatever is written
  }

  get textContent() { return this.#text; }
  get data() { return this.#text; }
  set data(text) {
    this.writes += 1;
    this.#text = text;
  }
}

const split = (list, at) => list.split(new RegExp(`${at}(?![^(]*\\))`)); // not within parentheses

// Whether an element has all of `input.name[type=x]:not(…)`.
function isA(element, compound) {
  const parts = compound.match(/:not\([^)]*\)|\[[^\]]*\]|[.]?[\w-]+/g);
  return parts.every(part => {
    if (part.startsWith(':not')) return !element.matches(part.slice(5, -1));
    if (part.startsWith('.')) return element.classList.contains(part.slice(1));
    const [, name, how, value] = part.match(/^\[([\w-]+)(?:(\*?=)"?([^"\]]*)"?)?\]$/) ?? [];
    if (!name) return element.nodeName === part.toUpperCase();
    const has = element.getAttribute(name);
    return has !== null && (!how || (how === '=' ? has === value : has.includes(value)));
  });
}

export class Element {
  constructor(tag) {
    Object.assign(this, {nodeName: tag.toUpperCase(), nodeType: 1, childNodes: [], parent: null, heard: [], writes: 0});
    this.written = new Map();
    this.box = {x: 0, y: 0, top: 0, width: 0, height: 0};
    const properties = new Map();
    this.style = {
      properties, setProperty: (name, value) => properties.set(name, value), removeProperty: name => properties.delete(name),
    };
    this.dataset = new Proxy({}, {
      get: (_, name) => this.written.get(dashed(name)),
      set: (_, name, value) => Boolean(this.written.set(dashed(name), String(value))),
      deleteProperty: (_, name) => this.written.delete(dashed(name)) || true,
    });
    const names = () => (this.written.get('class') ?? '').split(' ').filter(Boolean);
    const keep = list => this.written.set('class', list.join(' '));
    this.classList = {
      contains: name => names().includes(name),
      add: name => keep([...new Set([...names(), name])]),
      toggle: (name, on) => keep([...names().filter(one => one !== name), ...(on ? [name] : [])]),
    };
    if (tag === 'canvas') Object.assign(this, new Canvas(300, 150), {getContext: Canvas.prototype.getContext});
    if (tag === 'template') this.content = new Element('fragment');
  }

  get className() { return this.written.get('class') ?? ''; }
  set className(text) { this.written.set('class', text); }

  get attributes() { return [...this.written].map(([name, value]) => ({name, value})); }
  getAttribute(name) { return this.written.get(name) ?? null; }
  hasAttribute(name) { return this.written.has(name); }
  removeAttribute(name) { this.written.delete(name); }
  toggleAttribute(name, on) { if (on) this.written.set(name, ''); else this.written.delete(name); }
  setAttribute(name, value) {
    this.writes += 1;
    this.written.set(name, String(value));
  }

  get children() { return this.childNodes.filter(node => node.nodeType === 1); }
  get firstElementChild() { return this.children[0] ?? null; }
  append(...nodes) {
    for (const node of nodes) node.parent = this;
    this.childNodes.push(...nodes);
  }

  replaceChildren(...nodes) {
    this.childNodes = [];
    this.append(...nodes);
  }

  get textContent() { return this.childNodes.map(node => node.textContent).join(''); }
  set textContent(text) {
    this.writes += 1;
    this.replaceChildren(new Text(text));
  }

  set innerHTML(html) {
    let at = this.content ?? this;
    at.replaceChildren();
    for (const [, end, tag, attributes, text] of html.matchAll(/<(\/?)(\w+)([^>]*)>|([^<]+)/g)) {
      if (text) at.append(new Text(text));
      else if (end) at = at.parent;
      else {
        const one = new Element(tag);
        for (const [, name, value] of attributes.matchAll(/([\w-]+)="([^"]*)"/g)) one.written.set(name, value);
        at.append(one);
        at = one;
      }
    }
  }

  matches(list) {
    return split(list, ', ').some(selector => {
      const [last, ...above] = split(selector, ' ').reverse();
      return isA(this, last) && above.every(part => this.parent?.closest(part));
    });
  }

  closest(list) {
    return this.matches(list) ? this : this.parent?.closest(list) ?? null;
  }

  querySelectorAll(list) {
    return this.children.flatMap(one => [...(one.matches(list) ? [one] : []), ...one.querySelectorAll(list)]);
  }

  querySelector(list) { return this.querySelectorAll(list)[0] ?? null; }
  contains(node) { return node === this || (node?.parent ? this.contains(node.parent) : false); }
  getBoundingClientRect() { return this.box; }

  addEventListener(type, listener, {signal, once, capture = false} = {}) {
    const one = {type, listener, once, capture};
    this.heard.push(one);
    signal?.addEventListener('abort', () => { this.heard = this.heard.filter(other => other !== one); });
  }

  // Lets an event happen here and, if it bubbles, in all that this is in; returns it with what was done to it.
  happen(type, {bubbles = true, ...more} = {}) {
    const event = {
      type, target: this, done: [], preventDefault: () => event.done.push('prevented'),
      stopPropagation: () => event.done.push('stopped'), stopImmediatePropagation: () => event.done.push('stopped at once'),
      ...more,
    };
    for (let at = this; at; at = bubbles && at.parent) {
      for (const one of at.heard.filter(({type: heard}) => heard === type)) {
        if (one.once) at.heard = at.heard.filter(other => other !== one);
        one.listener(event);
      }
    }
    return event;
  }

  dispatchEvent({type, bubbles}) { return this.happen(type, {bubbles}); }
  setPointerCapture(pointer) { this.captured = pointer; }
}

const dashed = name => `data-${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;

// Writes elements as a page has them: element('div.name', {attribute: value}, child, 'text', …).
export function element(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const one = new Element(tag);
  if (classes.length) one.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) one.written.set(key, value);
  one.append(...children.map(child => (typeof child === 'string' ? new Text(child) : child)));
  return one;
}

// An observer that the test sets off: `Observer.all` has those of one kind, with what each observes.
function observers() {
  return class Observer {
    static all = [];

    constructor(callback) {
      Object.assign(this, {callback, seen: []});
      Observer.all.push(this);
    }

    observe(target, options) { this.seen.push({target, ...options}); }
    disconnect() { this.seen = []; }
  };
}

// Makes a page of the globals that a browser has.
export function openPage() {
  const root = new Element('html'), body = element('body');
  root.append(body);
  const page = Object.assign(root, {body, createElement: tag => new Element(tag), activeElement: null, hidden: false});
  const window = Object.assign(new Element('window'), {devicePixelRatio: 1, innerHeight: 1000});
  const frames = [];
  const queries = [];
  Object.assign(globalThis, {
    document: page, window, Node: {TEXT_NODE: 3}, OffscreenCanvas: Canvas,
    ImageData: class { constructor(data, width, height) { Object.assign(this, {data, width, height}); } },
    ResizeObserver: observers(), MutationObserver: observers(), IntersectionObserver: observers(),
    requestAnimationFrame: callback => frames.push(callback),
    matchMedia: text => {
      const query = Object.assign(new Element('query'), {text});
      queries.push(query);
      return query;
    },
  });
  const frame = async () => { // the screen's next one
    for (const callback of frames.splice(0)) callback();
    await Promise.resolve();
    await Promise.resolve();
  };
  return {page, body, window, frame, queries};
}
