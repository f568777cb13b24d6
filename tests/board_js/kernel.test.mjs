import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {Kernel, NOBODY} from '../../gradlab/lab/board/kernel.js';

function signal() {
  const slots = new Set();
  return {
    connect: slot => slots.add(slot), disconnect: slot => slots.delete(slot), emit: () => slots.forEach(slot => slot()),
    slots,
  };
}

function page(status = 'idle') {
  const sessionContext = {statusChanged: signal(), kernelChanged: signal()};
  return {kernel: {status, isDisposed: false}, context: {sessionContext}};
}

function watched(manager) {
  const told = [];
  return {kernel: new Kernel(manager, text => told.push(text)), told};
}

test('a kernel that is shut down or dead is told at once, and once', () => {
  for (const change of [m => { m.kernel = null; }, m => { m.kernel.status = 'dead'; }, m => { m.kernel.isDisposed = true; }]) {
    const manager = page(), {told} = watched(manager);
    assert.deepEqual(told, []);
    change(manager);
    manager.context.sessionContext.statusChanged.emit();
    manager.context.sessionContext.kernelChanged.emit();
    assert.deepEqual(told, [NOBODY]);
  }
});

test('who waits three seconds in vain is told, unless the kernel is busy', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const manager = page('busy'), {kernel, told} = watched(manager);
  kernel.asked();
  t.mock.timers.tick(3100);
  assert.deepEqual(told, []);
  manager.kernel.status = 'idle';
  t.mock.timers.tick(3100);
  assert.deepEqual(told, [NOBODY]);
  kernel.answered();
  assert.deepEqual(told, [NOBODY, '']);
});

test('an answer ends the waiting', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {kernel, told} = watched(page());
  kernel.asked();
  t.mock.timers.tick(2000);
  kernel.answered();
  t.mock.timers.tick(9000);
  assert.deepEqual(told, []);
});

test('a restart names the cell, and nobody says later that no kernel is running', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {kernel, told} = watched(page());
  kernel.restarted('[3]:');
  assert.match(told[0], /restarted.*\[3\]:/);
  kernel.asked();
  t.mock.timers.tick(9000);
  assert.equal(told.length, 1);
});

test('a page that knows of no kernel tells nothing by itself, and the end lets go of its signals', () => {
  const {told} = watched(undefined);
  assert.deepEqual(told, []);
  const manager = page(), {kernel} = watched(manager);
  kernel.stop();
  assert.equal(manager.context.sessionContext.statusChanged.slots.size, 0);
});

test('a kernel that is gone before the lab is made is told at once, one that ends too', () => {
  for (const status of ['dead', 'terminating']) assert.deepEqual(watched(page(status)).told, [NOBODY]);
  assert.deepEqual(watched({kernel: null}).told, [NOBODY]);
  assert.deepEqual(watched({kernel: {status: 'idle', isDisposed: false}}).told, []);
});

test('the three seconds begin with the first question, and again with the next one after an answer', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {kernel, told} = watched(page());
  kernel.asked();
  t.mock.timers.tick(2000);
  kernel.asked();
  t.mock.timers.tick(999);
  assert.deepEqual(told, []);
  t.mock.timers.tick(1);
  assert.deepEqual(told, [NOBODY]);
  kernel.answered();
  kernel.asked();
  t.mock.timers.tick(2999);
  assert.deepEqual(told, [NOBODY, '']);
  t.mock.timers.tick(1);
  assert.deepEqual(told, [NOBODY, '', NOBODY]);
  kernel.answered();
  kernel.answered();
  assert.equal(told.length, 4, 'told once');
});

test('a lab that is gone waits for no answer', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const manager = page(), {kernel, told} = watched(manager);
  kernel.asked();
  kernel.stop();
  t.mock.timers.tick(9000);
  manager.kernel.status = 'dead';
  manager.context.sessionContext.kernelChanged.emit();
  assert.deepEqual(told, []);
});

test('who was told why waits for another answer as well', t => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const {kernel, told} = watched(page());
  kernel.asked();
  t.mock.timers.tick(3000);
  kernel.asked();
  kernel.answered();
  t.mock.timers.tick(9000);
  assert.deepEqual(told, [NOBODY, '']);
  kernel.restarted('');
  assert.match(told.at(-1), /Run its cell again, after the cells before it\.$/);
});
