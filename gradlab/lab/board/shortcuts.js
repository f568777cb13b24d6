// Keys and buttons of the whole lab: undo, redo, full screen, saving a picture.
const TEXTS = 'textarea, input:not([type=checkbox], [type=radio]), [contenteditable]';

// What a key asks for: "undo", "redo" or ''. In a text field these keys are the field's own.
export function wishOf({ctrlKey, metaKey, altKey, shiftKey, key}, inText) {
  if (!(ctrlKey || metaKey) || altKey || inText) return '';
  const letter = key.toLowerCase();
  if (letter === 'z') return shiftKey ? 'redo' : 'undo';
  return letter === 'y' && !shiftKey ? 'redo' : '';
}

// Where an arrow key takes a whole number, or null.
export function stepped(text, key) {
  const by = {ArrowUp: 1, ArrowDown: -1}[key];
  return by && /^\s*-?\d+\s*$/.test(text) ? String(Number(text) + by) : null;
}

function stepOf(event) {
  const field = event.target;
  const to = field.closest('.gradlab-whole') && field.value !== undefined ? stepped(field.value, event.key) : null;
  if (to === null) return false;
  field.value = to;
  field.dispatchEvent(new Event('change', {bubbles: true})); // ipywidgets sends it
  return true;
}

// Listens while `signal` is not aborted. JupyterLab listens at the document, before the lab could: so the
// lab listens at the window.
export function listenTo(lab, ask, signal) {
  window.addEventListener('keydown', event => {
    if (!lab.contains(event.target)) return;
    const wish = wishOf(event, event.target.matches(TEXTS));
    if (!wish && !stepOf(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (wish) ask(wish);
  }, {capture: true, signal});
  lab.addEventListener('click', event => { // at once: a browser allows it only in answer to a hand
    if (event.target.closest('.gradlab-fullscreen')) toggleFullScreen(lab);
  }, {signal});
}

function toggleFullScreen(lab) {
  if (document.fullscreenElement === lab) document.exitFullscreen();
  else fillScreen(lab);
}

export function fillScreen(lab) {
  if (document.fullscreenElement !== lab) lab.requestFullscreen?.().catch(() => {});
}

// Hands a file to the browser, to be saved.
export function save(name, mime, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], {type: mime}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
