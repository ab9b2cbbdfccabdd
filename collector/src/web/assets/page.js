// Has each section of the page as the collector has it now, and leaves what a person is doing there alone.
'use strict';

(() => {
  const EVERY = 10000;
  const SOON = 1500;
  let timer = 0;

  // What is open, focused and scrolled in a section, by the names that its successor has, too.
  function stateOf(section) {
    const open = [...section.querySelectorAll('details[open]')].map((details) => details.id);
    const scrolled = [...section.querySelectorAll('.wide')].map((box) => [box.scrollLeft, box.scrollTop]);
    const active = document.activeElement;
    let focus = null;
    if (active && section.contains(active)) {
      const kind = active.tagName.toLowerCase();
      const alike = [...section.querySelectorAll(kind)];
      focus = { id: active.id, kind, place: alike.indexOf(active) };
    }
    return { open, scrolled, focus };
  }

  function restore(section, { open, scrolled, focus }) {
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    const boxes = section.querySelectorAll('.wide');
    scrolled.forEach(([left, top], place) => {
      if (boxes[place]) boxes[place].scrollTo(left, top);
    });
    if (!focus) return;
    const same = focus.id && document.getElementById(focus.id);
    const target = same || section.querySelectorAll(focus.kind)[focus.place];
    if (target) target.focus({ preventScroll: true });
  }

  function isSelecting(section) {
    const selection = window.getSelection();
    return selection && !selection.isCollapsed && selection.containsNode(section, true);
  }

  // Sections as the collector wrote them, before anything was opened in them.
  const written = new Map();

  function remember(section, text) {
    written.set(section.id, text);
  }

  async function refresh() {
    const answer = await fetch(location.href, { cache: 'no-store', credentials: 'same-origin' });
    if (answer.redirected) {
      // Logged out meanwhile.
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const news = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const top = window.scrollY;
    for (const section of news.querySelectorAll('section[data-live]')) {
      const old = document.getElementById(section.id);
      const text = section.innerHTML;
      if (!old || written.get(section.id) === text || isSelecting(old)) continue;
      // What is known stays until something else is.
      if ('pending' in section.dataset && !('pending' in old.dataset)) continue;
      const state = stateOf(old);
      const successor = document.importNode(section, true);
      old.replaceWith(successor);
      restore(successor, state);
      remember(successor, text);
    }
    window.scrollTo({ top, behavior: 'instant' });
    document.documentElement.dataset.refreshed = String(Number(document.documentElement.dataset.refreshed || 0) + 1);
  }

  function wait() {
    const isPending = document.querySelector('section[data-pending]');
    clearTimeout(timer);
    timer = setTimeout(turn, isPending ? SOON : EVERY);
  }

  async function turn() {
    try {
      if (!document.hidden) await refresh();
      delete document.documentElement.dataset.offline;
    } catch (error) {
      // The collector may be starting anew: what is shown says as of when it is.
      document.documentElement.dataset.offline = 'true';
    }
    wait();
  }

  document.querySelectorAll('section[data-live]').forEach((section) => remember(section, section.innerHTML));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) turn();
  });
  wait();
})();
