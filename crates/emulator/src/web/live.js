// Adds to the pages what HTML cannot do: live updates, filtering while typing, copying, themes.
'use strict';

const MOST_ROWS = 200;
const TYPING_PAUSE = 250;
const ANNOUNCE_PAUSE = 2000;
const RECONNECT_PAUSE = 3000;

// --- Theme ---------------------------------------------------------------------------------------

const dark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;
const themeButton = document.querySelector('[data-theme-toggle]');

function isDark() {
  return (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
}

function labelTheme() {
  themeButton.textContent = isDark() ? 'Light' : 'Dark';
  themeButton.setAttribute('aria-label', isDark() ? 'Use the light theme' : 'Use the dark theme');
}

themeButton.hidden = false;
themeButton.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  localStorage.setItem('theme', root.dataset.theme);
  labelTheme();
});
dark.addEventListener('change', labelTheme);
labelTheme();

// --- Copy buttons --------------------------------------------------------------------------------

function showCopyButtons() {
  for (const button of document.querySelectorAll('[data-copy]')) button.hidden = !navigator.clipboard;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const label = button.firstChild;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    label.data = 'Copied';
  } catch {
    label.data = 'Copy failed';
  }
  setTimeout(() => { label.data = 'Copy'; }, 1500);
});
showCopyButtons();

// --- The list of calls ---------------------------------------------------------------------------

const form = document.querySelector('[data-filter]');
if (form) updateList();

function updateList() {
  const liveButton = document.querySelector('[data-live]');
  const announcer = document.querySelector('[data-announce]');
  const list = () => document.getElementById('list');
  let source = null;
  let isLive = liveButton !== null;
  let unannounced = { calls: 0, losses: 0, timer: null };

  function filter() {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (value === '') query.delete(name);
    return query;
  }

  let reconnectTimer = null;
  function connect() {
    clearTimeout(reconnectTimer);
    source?.close();
    source = null;
    // Browsers limit the connections to one server, so a hidden page closes its own.
    if (!isLive || document.hidden) return showLive();
    const query = filter();
    query.set('since', list().dataset.since);
    source = new EventSource(`/_emulator/events?${query}`);
    source.addEventListener('calls', (event) => {
      list().dataset.since = event.lastEventId;
      for (const row of JSON.parse(event.data)) upsert(row);
    });
    source.addEventListener('reset', (event) => {
      list().dataset.since = event.lastEventId;
      refresh();
    });
    source.addEventListener('open', showLive);
    source.addEventListener('error', ({ target }) => {
      // Browsers reconnect after a network error, but not after a status other than 200.
      if (target === source && target.readyState === EventSource.CLOSED) {
        clearTimeout(reconnectTimer);
        reconnectTimer = setTimeout(connect, RECONNECT_PAUSE);
      }
      showLive();
    });
    showLive();
  }

  function showLive() {
    if (!liveButton) return;
    const state = !isLive ? 'paused' : source?.readyState === EventSource.OPEN ? 'live' : 'connecting';
    liveButton.dataset.state = state;
    liveButton.setAttribute('aria-pressed', String(isLive));
    liveButton.lastChild.data = { paused: ' Paused', live: ' Live', connecting: ' Connecting' }[state];
  }

  // Inserts the row of a call by its number, or replaces the earlier row of the same call.
  function upsert(call) {
    const body = list().querySelector('tbody');
    const template = document.createElement('template');
    template.innerHTML = call.html;
    const row = template.content.firstElementChild;
    const current = body.querySelector(`tr[data-seq="${call.seq}"]`);
    if (current) {
      const hadFocus = current.contains(document.activeElement);
      current.replaceWith(row);
      if (hadFocus) row.querySelector('a').focus();
    } else {
      const older = [...body.rows].find((other) => Number(other.dataset.seq) < call.seq);
      if (!older && body.rows.length >= MOST_ROWS) return;
      body.insertBefore(row, older ?? null);
      row.classList.add('new');
      announce(call);
    }
    while (body.rows.length > MOST_ROWS) body.rows[body.rows.length - 1].remove();
    list().querySelector('[data-empty]')?.remove();
    list().querySelector('table').hidden = false;
  }

  function announce(call) {
    unannounced.calls += 1;
    unannounced.losses += call.losses > 0 ? 1 : 0;
    unannounced.timer ??= setTimeout(() => {
      const losses = unannounced.losses > 0 ? `, ${unannounced.losses} with losses` : '';
      announcer.textContent = `${unannounced.calls} new ${unannounced.calls === 1 ? 'call' : 'calls'}${losses}`;
      unannounced = { calls: 0, losses: 0, timer: null };
    }, ANNOUNCE_PAUSE);
  }

  // Loads the list again. Ignores the response if a newer request was sent meanwhile.
  let latestRequest = 0;
  async function refresh() {
    const request = ++latestRequest;
    const query = filter();
    const address = query.size > 0 ? `?${query}` : location.pathname;
    try {
      const response = await fetch(address);
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (request !== latestRequest) return;
      list().replaceWith(page.getElementById('list'));
    } catch {
      return; // The emulator is not running. The event stream reconnects when it is back.
    }
    history.replaceState(null, '', address);
    showCopyButtons();
    if (liveButton) connect();
    else location.reload();
  }

  let typingTimer = null;
  form.querySelector('[data-submit]').hidden = true;
  form.addEventListener('input', () => {
    clearTimeout(typingTimer);
    typingTimer = setTimeout(refresh, TYPING_PAUSE);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(typingTimer);
    refresh();
  });
  // A list of older calls is not updated.
  if (!liveButton) return;
  liveButton.hidden = false;
  liveButton.addEventListener('click', () => {
    isLive = !isLive;
    connect();
  });
  document.addEventListener('visibilitychange', connect);
  connect();
}
