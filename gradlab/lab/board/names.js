// What ipywidgets leaves out for people who listen: names and values of sliders and number fields.
import {asInPython} from './scales.js';

// A value is told in its own unit: 1e-6, where the handle itself stands at -6.
function nameControls(lab) {
  for (const slider of lab.querySelectorAll('.widget-slider')) {
    const label = slider.querySelector('.widget-label')?.textContent ?? '';
    const readout = slider.querySelector('.widget-readout');
    const handle = slider.querySelector('.noUi-handle');
    if (!handle || !readout) continue;
    writeReadout(readout);
    mark(handle, 'aria-label', label);
    mark(handle, 'aria-valuetext', asInPython(readout.textContent));
    mark(readout, 'role', 'textbox');
    mark(readout, 'aria-label', `${label}, typed value`);
    const off = slider.querySelector('.slider[disabled]') !== null;
    mark(handle, 'aria-disabled', String(off));
  }
  for (const field of lab.querySelectorAll('select, input, textarea')) {
    const box = field.closest('.widget-inline-hbox, .widget-checkbox');
    const label = box?.querySelector('.widget-label')?.textContent;
    if (label && !field.labels?.length) mark(field, 'aria-label', label);
  }
  for (const button of lab.querySelectorAll('.widget-toggle-button')) {
    mark(button, 'aria-pressed', String(button.classList.contains('mod-active')));
  }
  for (const bar of lab.querySelectorAll('.widget-hprogress .progress')) {
    mark(bar, 'role', 'progressbar');
    const label = bar.closest('.widget-hprogress').querySelector('.widget-label');
    mark(bar, 'aria-label', label?.textContent ?? '');
  }
  // JupyterLab would take their arrow keys, and letters, for its own: to another cell.
  for (const control of lab.querySelectorAll('select, .noUi-handle')) {
    mark(control, 'data-lm-suppress-shortcuts', 'true');
  }
}

// ipywidgets writes what a slider stands at without a zero in the exponent; a field that somebody types in is left alone.
function writeReadout(element) {
  if (!element.classList?.contains('widget-readout') || element === document.activeElement) return;
  const text = asInPython(element.textContent);
  if (text !== element.textContent) element.textContent = text;
}

// ipywidgets lets a slider snap to its steps also when a value comes from the kernel or was typed,
// and sends that back: 0.5 would become 0.5012. Steps are for hands; such a value stays as it is.
function keepExact(lab) {
  for (const {noUiSlider: slider} of lab.querySelectorAll('.noUi-target')) {
    if (!slider || slider.gradlabExact) continue;
    const {set} = slider;
    Object.assign(slider, {gradlabExact: true, set: (value, tell) => set(value, tell, true)});
  }
}

export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// Keeps the lab's controls as they should be while ipywidgets makes and changes them; `also` does what else
// new controls need. Returns how to stop.
export function keepNamed(lab, also) {
  let timer;
  const all = () => {
    nameControls(lab);
    keepExact(lab);
    also(lab);
  };
  const watcher = new MutationObserver(changes => {
    for (const {target} of changes) writeReadout(target);
    clearTimeout(timer); // the rest once all is still: not in the midst of a drag
    timer = setTimeout(all, 100);
  });
  watcher.observe(lab, {
    subtree: true, childList: true, characterData: true, attributeFilter: ['aria-valuenow', 'class'],
  });
  all();
  return () => {
    clearTimeout(timer);
    watcher.disconnect();
  };
}
