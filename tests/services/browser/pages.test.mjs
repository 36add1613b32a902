// Tests the emulator's web pages in Chromium.
//
// Environment: the variables that `telecrm emulator` prints, CHROMIUM (the browser to run) and TELECRM (the command
// that starts a second emulator). `cargo xtask test-services browser` sets them.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const base = process.env.TELECRM_ASYNC_URL;
const enterprise = process.env.TELECRM_ENTERPRISE_ID;
const home = `${base}/_emulator/`;
const ATTACK = '<script>alert(1)</script><img src=x onerror=alert(2)>';
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

let browser;
let context;
/** Errors, dialogs and requests to other servers, which fail every test. */
let problems;

before(async () => {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false, args });
});
after(() => browser?.close());

beforeEach(async () => {
  await own('POST', 'reset');
  await own('DELETE', 'faults');
  problems = [];
  await open({ viewport: DESKTOP });
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(problems, []);
});

/** Replaces the browser context by one with these options. */
async function open(options) {
  await context?.close();
  context = await browser.newContext(options);
  context.on('request', (request) => {
    if (!request.url().startsWith(`${base}/`)) problems.push(`request to another server: ${request.url()}`);
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => problems.push(`script: ${error.error()}`));
  context.on('dialog', async (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
}

async function visit(address) {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(address);
  return page;
}

/** Opens the list of calls and waits until it is live. */
async function watchCalls(query = '') {
  const page = await visit(home + query);
  await page.locator('[data-live][data-state="live"]').waitFor();
  return page;
}

/** Calls an endpoint of the emulator's own. */
async function own(method, name) {
  const response = await fetch(home + name, { method });
  assert.ok(response.ok, `${method} ${name}: ${response.status}`);
}

function call(address, token, body) {
  return fetch(address, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
}

const sync = (path, body) => call(`${process.env.TELECRM_SYNC_URL}/enterprise/${enterprise}${path}`, process.env.TELECRM_SYNC_TOKEN, body);
const push = (lead) => call(`${base}/enterprise/${enterprise}/autoupdatelead`, process.env.TELECRM_ASYNC_TOKEN, lead);

async function create(fields) {
  const response = await sync('/lead', { fields });
  assert.equal(response.status, 201);
  return (await response.json()).lead_id;
}

const rows = (page) => page.locator('#list tbody tr');

/** The addresses of one page of each kind. */
async function addresses() {
  const id = await create({ phone: '919999999999', name: `${ATTACK} ${'x'.repeat(200)}`, rating: 9 });
  await push({ fields: { phone: '918888888888', unknown_field_with_a_long_name_that_does_not_break: 'y'.repeat(300) } });
  await own('POST', 'settle');
  const log = await (await fetch(`${home}log`)).json();
  const calls = log.entries.slice(-2).map((entry) => `${home}calls/${entry.seq}`);
  return [home, ...calls, `${home}leads`, `${home}leads/${id}`, `${home}workspace`, `${home}settings`];
}

test('a lead that loses a field appears live, with the reason', async () => {
  const page = await visit(`${base}/`);
  assert.equal(page.url(), home);
  await page.getByText('No API calls yet').waitFor();
  await page.locator('[data-live][data-state="live"]').waitFor();
  await push({ fields: { phone: '919999999999', name: 'Asha Rao', rating: 9 } });

  const row = rows(page).first();
  await row.getByText('fields.rating dropped').waitFor();
  assert.equal(await rows(page).count(), 1);
  assert.equal(await page.getByText('No API calls yet').count(), 0);
  await page.locator('[data-announce]', { hasText: '1 new call' }).waitFor({ state: 'attached' });

  await row.getByRole('link', { name: 'createOrUpdateLead' }).click();
  const rating = page.getByRole('row', { name: /^fields\.rating/ });
  const { entries } = await (await fetch(`${home}log`)).json();
  const { reason } = entries.at(-1).findings.find((finding) => finding.path === 'fields.rating');
  const cells = (await rating.innerText()).split(/\s+/).join(' ');
  assert.ok(cells.startsWith(`fields.rating 9 dropped – ${reason.replaceAll('`', '')} (AS3)`), cells);
  assert.match(await page.getByRole('row', { name: /^fields\.name/ }).innerText(), /Asha Rao\s+stored\s+Asha Rao/);
  await page.getByRole('link', { name: 'View lead' }).click();
  await page.getByRole('heading', { name: 'Asha Rao' }).waitFor();
});

test('each call is listed once, even if the connection breaks', async () => {
  const page = await watchCalls();
  const names = () => page.locator('#list tbody tr').evaluateAll((all) => all.map((row) => Number(row.dataset.seq)));
  for (let i = 0; i < 5; i++) await sync('/metadata');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 5);
  // Pausing closes the connection. The next one resumes after the last event.
  await page.getByRole('button', { name: 'Live' }).click();
  for (let i = 0; i < 5; i++) await sync('/metadata');
  assert.equal((await names()).length, 5);
  await page.getByRole('button', { name: 'Paused' }).click();
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 10);
  await Promise.all(Array.from({ length: 40 }, () => sync('/metadata')));
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 50);
  const seen = await names();
  assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => b - a));

  await own('POST', 'reset');
  await page.getByText('No API calls yet').waitFor();
  await sync('/metadata');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 1);
});

/** Starts a second emulator at this port. */
async function startEmulator(port) {
  const child = spawn(process.env.TELECRM, ['emulator', '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    const url = /^export TELECRM_ASYNC_URL=(.*)$/m.exec(output)?.[1];
    if (url) return { url, stop: () => Promise.all([once(child, 'exit'), child.kill()]) };
  }
  throw new Error(`no emulator at port ${port}: ${output}`);
}

test('a page reconnects when the emulator is restarted', async () => {
  let emulator = await startEmulator(0);
  const { port } = new URL(emulator.url);
  const ask = () => fetch(`${emulator.url}/autoupdate/v2/enterprise/ent-local/metadata`);
  // Failed connections are logged on the console, so this test needs a context of its own.
  const ownContext = await browser.newContext();
  try {
    const page = await ownContext.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(`${emulator.url}/_emulator/`);
    const state = (name) => page.locator(`[data-live][data-state="${name}"]`).waitFor();
    await state('live');
    await ask();
    await ask();
    await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 2);
    await page.evaluate(() => { window.isTheSame = true; });

    await emulator.stop();
    await state('connecting');
    // Before the emulator is back, another server answers at its port.
    const other = createServer((_, response) => response.writeHead(503).end());
    other.listen(port, '127.0.0.1');
    await once(other, 'request');
    other.closeAllConnections();
    await new Promise((closed) => other.close(closed));
    emulator = await startEmulator(port);
    await state('live');
    await ask();
    await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 1);
    assert.equal(await page.evaluate(() => window.isTheSame), true, 'the page must not reload');
  } finally {
    await ownContext.close();
    await emulator.stop();
  }
});

test('the filter applies while typing, and to new calls', async () => {
  const page = await watchCalls();
  await create({ phone: '919999999999', name: 'Zebra' });
  await create({ phone: '918888888888', rating: 9 });
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 2);
  await page.getByRole('searchbox').pressSequentially('zebra');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 1);
  assert.equal(new URL(page.url()).search, '?q=zebra');
  await page.locator('[data-live][data-state="live"]').waitFor();
  await create({ phone: '917777777777' });
  await create({ phone: '916666666666', name: 'Another Zebra' });
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 2);
  await page.getByRole('searchbox').fill('');
  await page.getByLabel('Losses and refusals only').check();
  await rows(page).getByText('fields.rating').waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByLabel('Operation').selectOption('getMetadata');
  await page.getByText('No calls match the filter').waitFor();
});

test('markup in leads is shown as text', async () => {
  const page = await watchCalls();
  const id = await create({ phone: '919999999999', name: ATTACK, [ATTACK]: ATTACK });
  await rows(page).first().getByText(`fields.${ATTACK} dropped`).waitFor();
  for (const address of [`${home}leads`, `${home}leads/${id}`, `${home}?q=${encodeURIComponent(ATTACK)}`]) {
    await page.goto(address);
    assert.ok((await page.locator('main').innerText()).includes('<script>alert(1)') || (await page.getByRole('searchbox').inputValue()) === ATTACK);
    assert.equal(await page.locator('main script, main img').count(), 0);
  }
});

test('a fault rule of the page applies to the next call', async () => {
  const page = await visit(`${home}settings`);
  await page.getByLabel('Operation').selectOption('getMetadata');
  await page.getByRole('combobox', { name: 'Fault' }).selectOption('answer');
  await page.getByLabel('Status, delay in ms, or content type').fill('503');
  await page.getByLabel('Number of calls').fill('1');
  await page.getByRole('button', { name: 'Add rule', exact: true }).click();
  await page.getByText('getMetadata: respond with status 503').waitFor();
  assert.equal((await sync('/metadata')).status, 503);
  assert.equal((await sync('/metadata')).status, 200);
  await page.goto(home);
  await page.getByText('fault: answer').waitFor();
  await page.goto(`${home}settings`);
  await page.getByRole('combobox', { name: 'Fault' }).selectOption('hang');
  await page.getByRole('button', { name: 'Add rule', exact: true }).click();
  await page.getByRole('listitem').filter({ hasText: 'any operation: never respond' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('any operation: never respond').waitFor({ state: 'detached' });
  await page.getByText('getMetadata: respond with status 503').waitFor();
  await page.getByRole('button', { name: 'Remove all rules' }).click();
  await page.getByText('No rules').waitFor();
});

test('a switch of the page changes the next response', async () => {
  await create({ phone: '919999999999', status: 'Won' });
  const status = async () => (await (await sync('/lead/search', {})).json()).data[0].status;
  assert.equal(await status(), undefined);
  const page = await visit(`${home}settings`);
  await page.getByLabel('lead-attributes').selectOption('row');
  await page.getByRole('button', { name: 'Save switches' }).click();
  assert.equal(await page.getByLabel('lead-attributes').inputValue(), 'row');
  assert.equal(await status(), 'Won');
  await page.getByRole('button', { name: 'Follow the documentation' }).click();
  assert.equal(await page.getByLabel('lead-attributes').inputValue(), 'fields');
  assert.equal(await status(), undefined);
});

test('the copied curl command repeats the call', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  await sync('/lead/search?limit=5', { fields: { name: "it's $HOME `id` \"quoted\"" } });
  const log = await (await fetch(`${home}log`)).json();
  const page = await visit(`${home}calls/${log.entries.at(-1).seq}`);
  const copied = async (name) => {
    await page.getByRole('button', { name: `Copy ${name}` }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    await page.getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const rust = await copied('Rust');
  assert.ok(rust.startsWith('let reply = telecrm\n    .request(Method::Post, "/lead/search")\n    .query("limit", "5")'), rust);
  const curl = await copied('curl');
  assert.ok(!curl.includes(process.env.TELECRM_SYNC_TOKEN), 'the command must not contain the token');
  const ran = await promisify(execFile)('sh', ['-c', `${curl} --silent --show-error --fail`]);
  assert.equal(JSON.parse(ran.stdout).total_count, 0);
  const { entries } = await (await fetch(`${home}log`)).json();
  const again = await visit(`${home}calls/${entries.at(-1).seq}`);
  const body = (of) => of.locator('section[aria-labelledby="request"] pre').innerText();
  assert.equal(await body(again), await body(page));
});

test('no page is wider than a phone', async () => {
  const all = await addresses();
  await open({ viewport: PHONE });
  for (const address of all) {
    const page = await visit(address);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${address} is ${width} px wide`);
    await page.close();
  }
});

/** The contrast ratio of two colours as WCAG defines it. */
function contrast(one, other) {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test('light and dark themes have enough contrast', async () => {
  const all = await addresses();
  const back = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const found = {};
  for (const colorScheme of ['light', 'dark']) {
    await open({ viewport: DESKTOP, colorScheme });
    for (const address of all) {
      const page = await visit(address);
      found[colorScheme] = await back(page);
      const texts = await page.evaluate(() => {
        const behind = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
          }
          return 'rgb(255, 255, 255)';
        };
        const shown = [...document.querySelectorAll('body *')].filter((element) =>
          element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
        return shown.map((element) => [element.outerHTML.slice(0, 120), getComputedStyle(element).color, behind(element)]);
      });
      for (const [what, text, behind] of texts) {
        assert.ok(contrast(text, behind) >= 4.5, `${address}, ${colorScheme}: ${text} on ${behind} in ${what}`);
      }
      await page.close();
    }
  }
  assert.notEqual(found.light, found.dark);

  const page = await visit(home);
  await page.getByRole('button', { name: 'Use the light theme' }).click();
  assert.equal(await back(page), found.light);
  await page.reload();
  assert.equal(await back(page), found.light);
});

test('pages work by keyboard, and without scripts', async () => {
  await create({ phone: '919999999999' });
  const page = await watchCalls();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.getByRole('searchbox').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.pathname), '/_emulator/calls/1'.replace('1', await rows(page).first().getAttribute('data-seq')));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'createLead' }).waitFor();

  await open({ viewport: DESKTOP, javaScriptEnabled: false });
  const still = await visit(`${home}?q=919999999999`);
  assert.equal(await rows(still).count(), 1);
  await still.getByRole('searchbox').fill('nothing like it');
  await still.getByRole('button', { name: 'Filter' }).click();
  await still.getByText('No calls match the filter').waitFor();
});
