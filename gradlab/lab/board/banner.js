// The banner: its words, what a screen reader is told of them, and how tall it is.

// Says what changed, to who cannot see it, once it has stayed for a moment.
export class Voice {
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
export function rewrite(element, html) {
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
      for (const {name} of [...node.attributes]) if (!then[i].hasAttribute(name)) node.removeAttribute(name);
      for (const {name, value} of then[i].attributes) {
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      }
      follow(node, then[i]);
    }
  });
}

// Makes a banner taller that has less room than its words need, and leaves it so: what comes next is no shorter for
// that, and nothing jumps. Where the page has become another, `anew`, it begins with the room that it had first.
export function makeRoom(element, anew = false) {
  if (anew) element.style.removeProperty('--gradlab-words');
  const {scrollHeight: needed, clientHeight: room} = element.firstElementChild ?? {};
  if (needed > room) element.style.setProperty('--gradlab-words', `${needed}px`);
}
