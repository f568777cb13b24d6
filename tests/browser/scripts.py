"""What runs inside the page: JupyterLab asked through its own interface."""

# Every script that talks to JupyterLab starts by finding the notebook in front. The name
# `jupyterapp` is there because the server runs with --expose-app-in-browser.
NOTEBOOK = "const app = window.jupyterapp, notebook = app.shell.currentWidget;"
SPLASH = "#jupyterlab-splash"  # lies over everything while JupyterLab starts or changes its theme
# Asked again and again: a promise that is waited for in the page can be garbage collected there.
READY = """() => {
  const app = window.jupyterapp, notebook = app?.shell.currentWidget;
  app?.restored.then(() => { window.gradlabRestored = true; });
  return window.gradlabRestored && notebook?.context?.isReady && notebook.sessionContext?.isReady;
}"""
IDLE = (
    "() => {"
    + NOTEBOOK
    + """
  const kernel = notebook.sessionContext.session?.kernel;
  const waiting = notebook.content.widgets.some(cell => cell.model.executionState === 'running');
  return window.gradlabRan !== false && !waiting && kernel?.status === 'idle';
}"""
)
RUN_ALL = (
    "() => {"
    + NOTEBOOK
    + """
  window.gradlabRan = false;
  app.commands.execute('notebook:run-all-cells').finally(() => { window.gradlabRan = true; });
}"""
)
OUTPUTS = (
    "() => {"
    + NOTEBOOK
    + """
  return notebook.content.widgets.map(cell => cell.model.outputs?.toJSON() ?? []);
}"""
)
SHOW_CELL = (
    "async index => {"
    + NOTEBOOK
    + """
  notebook.content.activeCellIndex = index;
  await notebook.content.scrollToItem(index, 'start');
}"""
)
RUN_CODE = (
    "async code => {"
    + NOTEBOOK
    + """
  const future = notebook.sessionContext.session.kernel.requestExecute({code});
  const said = [];
  future.onIOPub = message => {
    const kind = message.header.msg_type, content = message.content;
    if (kind === 'stream') said.push(content.text);
    if (kind === 'error') said.push(content.traceback.join('\\n'));
  };
  const reply = await future.done;
  return {ok: reply.content.status === 'ok', text: said.join('')};
}"""
)
SHOW_FILES = """async wanted => {
  const app = window.jupyterapp, shown = !app.shell.leftCollapsed;
  if (shown !== wanted) await app.commands.execute('application:toggle-left-area');
}"""
# True once neither the words nor the pictures of an element have changed for a while.
STILL = """([element, milliseconds]) => {
  const now = element.innerText + [...element.querySelectorAll('img')].map(image => image.src);
  if (element.gradlabSeen !== now) {
    element.gradlabSeen = now;
    element.gradlabSince = performance.now();
  }
  return performance.now() - element.gradlabSince > milliseconds;
}"""
# What has arrived from the kernel has been taken up by then.
TWO_FRAMES = """() => new Promise(done => {
  requestAnimationFrame(() => requestAnimationFrame(() => done()));
})"""
# For a context's start: from then on every message of every websocket takes gradlabDelay
# milliseconds longer, there and back, as if the server were far away.
FAR_AWAY = """(() => {
  window.gradlabDelay = 0;
  const late = act => window.gradlabDelay ? setTimeout(act, window.gradlabDelay) : act();
  window.WebSocket = class extends WebSocket {
    send(data) { late(() => super.send(data)); }
    get onmessage() { return super.onmessage; }
    set onmessage(take) { super.onmessage = event => late(() => take?.(event)); }
  };
})();"""
