// Whether anybody answers.
//
// A kernel that died leaves the lab as it was: the sliders move, and the verdict stays that of another step.
export const NOBODY = 'Nobody answers: the kernel is not running. Run this lab’s cell again.';
export const RESTARTED = 'The kernel was restarted and this lab with it. Run its cell again';
const PATIENCE = 3000; // ms that an answer may take where nobody says that the kernel is busy
const GONE = ['dead', 'terminating'];

// Tells `tell(text)` why nobody answers, and `tell('')` once somebody does. `manager` is ipywidgets' own: it
// has the kernel where the page knows one.
export class Kernel {
  constructor(manager, tell) {
    Object.assign(this, {manager, tell, waiting: null, told: ''});
    this.session = manager?.context?.sessionContext;
    this.look = () => this.lookAt();
    for (const signal of this.signals()) signal.connect(this.look);
    this.lookAt();
  }

  signals() {
    const {session} = this;
    return [session?.statusChanged, session?.kernelChanged].filter(Boolean);
  }

  // What the page knows of the kernel: whether it is gone, or busy.
  lookAt() {
    const kernel = this.manager?.kernel;
    if (kernel === undefined) return; // not every page knows
    if (kernel === null || kernel.isDisposed || GONE.includes(kernel.status)) this.say(NOBODY);
  }

  // A message went out that the kernel answers.
  asked() {
    this.waiting ??= setTimeout(() => this.late(), PATIENCE);
  }

  late() {
    this.waiting = null;
    if (this.manager?.kernel?.status === 'busy') this.asked();
    else if (!this.told) this.say(NOBODY); // of a kernel that was restarted more is known
  }

  // The kernel began to answer, or said something of its own.
  answered() {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.say('');
  }

  restarted(cell) {
    this.say(`${RESTARTED}${cell ? ` (the one above, ${cell})` : ''}, after the cells before it.`);
  }

  say(text) {
    if (text === this.told) return;
    this.told = text;
    this.tell(text);
  }

  stop() {
    clearTimeout(this.waiting);
    for (const signal of this.signals()) signal.disconnect(this.look);
  }
}
