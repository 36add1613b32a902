// What a page can do beyond being read: stay up to date, filter while typing, copy, change its colours.
'use strict';

const MOST_ROWS = 200;
const TYPING_PAUSE = 250;
const ANNOUNCE_PAUSE = 2000;
const RECONNECT_PAUSE = 3000;

// --- Colours ---------------------------------------------------------------------------------------------------------

const dark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;
const themeButton = document.querySelector('[data-theme-toggle]');

function isDark() {
  return (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
}

function labelTheme() {
  themeButton.textContent = isDark() ? 'Light' : 'Dark';
  themeButton.setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours');
}

themeButton.hidden = false;
themeButton.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  localStorage.setItem('theme', root.dataset.theme);
  labelTheme();
});
dark.addEventListener('change', labelTheme);
labelTheme();

// --- Copying ---------------------------------------------------------------------------------------------------------

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
    label.data = 'Not allowed';
  }
  setTimeout(() => { label.data = 'Copy'; }, 1500);
});
showCopyButtons();

// --- The list of calls -----------------------------------------------------------------------------------------------

const form = document.querySelector('[data-filter]');
if (form) keepUpToDate();

function keepUpToDate() {
  const liveButton = document.querySelector('[data-live]');
  const announcer = document.querySelector('[data-announce]');
  const list = () => document.getElementById('list');
  let source = null;
  let wanted = liveButton !== null;
  let news = { calls: 0, losses: 0, timer: null };

  function filter() {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (value === '') query.delete(name);
    return query;
  }

  let reconnecting = null;
  function connect() {
    clearTimeout(reconnecting);
    source?.close();
    source = null;
    // Browsers open few connections to one server, so a page that nobody sees gives its own back.
    if (!wanted || document.hidden) return showLive();
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
      // Browsers come back by themselves after a break, but never after an answer other than 200.
      if (target === source && target.readyState === EventSource.CLOSED) {
        clearTimeout(reconnecting);
        reconnecting = setTimeout(connect, RECONNECT_PAUSE);
      }
      showLive();
    });
    showLive();
  }

  function showLive() {
    if (!liveButton) return;
    const state = !wanted ? 'paused' : source?.readyState === EventSource.OPEN ? 'live' : 'waiting';
    liveButton.dataset.state = state;
    liveButton.setAttribute('aria-pressed', String(wanted));
    liveButton.lastChild.data = { paused: ' Paused', live: ' Live', waiting: ' Connecting' }[state];
  }

  // Puts a call where it belongs by its number, or in the place of what was known of it.
  function upsert(call) {
    const body = list().querySelector('tbody');
    const template = document.createElement('template');
    template.innerHTML = call.html;
    const row = template.content.firstElementChild;
    const known = body.querySelector(`tr[data-seq="${call.seq}"]`);
    if (known) {
      const hadFocus = known.contains(document.activeElement);
      known.replaceWith(row);
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
    news.calls += 1;
    news.losses += call.losses > 0 ? 1 : 0;
    news.timer ??= setTimeout(() => {
      const losses = news.losses > 0 ? `, ${news.losses} with losses` : '';
      announcer.textContent = `${news.calls} new ${news.calls === 1 ? 'call' : 'calls'}${losses}`;
      news = { calls: 0, losses: 0, timer: null };
    }, ANNOUNCE_PAUSE);
  }

  // Asks for the list again, and shows the latest answer only.
  let asked = 0;
  async function refresh() {
    const number = ++asked;
    const query = filter();
    const address = query.size > 0 ? `?${query}` : location.pathname;
    try {
      const response = await fetch(address);
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (number !== asked) return;
      list().replaceWith(page.getElementById('list'));
    } catch {
      return; // The emulator is gone; when it is back, the events say so.
    }
    history.replaceState(null, '', address);
    showCopyButtons();
    if (liveButton) connect();
    else location.reload();
  }

  let typing = null;
  form.querySelector('[data-submit]').hidden = true;
  form.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(refresh, TYPING_PAUSE);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(typing);
    refresh();
  });
  // A list of older calls stands still.
  if (!liveButton) return;
  liveButton.hidden = false;
  liveButton.addEventListener('click', () => {
    wanted = !wanted;
    connect();
  });
  document.addEventListener('visibilitychange', connect);
  connect();
}
