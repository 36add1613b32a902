// The emulator's pages in a real browser. The environment says where the emulator is (as `telecrm emulator` prints it),
// in CHROMIUM, which browser to drive, and in TELECRM, which command starts another emulator.
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
/** What must not happen in any test. */
let faults;

before(async () => {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false, args });
});
after(() => browser?.close());

beforeEach(async () => {
  await own('POST', 'reset');
  await own('DELETE', 'faults');
  faults = [];
  await open({ viewport: DESKTOP });
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(faults, []);
});

/** Begins anew with a browser of this kind. */
async function open(options) {
  await context?.close();
  context = await browser.newContext(options);
  context.on('request', (request) => {
    if (!request.url().startsWith(`${base}/`)) faults.push(`left the emulator: ${request.url()}`);
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => faults.push(`script: ${error.error()}`));
  context.on('dialog', async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
}

async function visit(address) {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(address);
  return page;
}

/** The list of calls, once it is live. */
async function watchCalls(query = '') {
  const page = await visit(home + query);
  await page.locator('[data-live][data-state="live"]').waitFor();
  return page;
}

async function own(method, name) {
  const answer = await fetch(home + name, { method });
  assert.ok(answer.ok, `${method} ${name}: ${answer.status}`);
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
  const answer = await sync('/lead', { fields });
  assert.equal(answer.status, 201);
  return (await answer.json()).lead_id;
}

const rows = (page) => page.locator('#list tbody tr');

async function addresses() {
  const id = await create({ phone: '919999999999', name: `${ATTACK} ${'x'.repeat(200)}`, rating: 9 });
  await push({ fields: { phone: '918888888888', unknown_field_with_a_long_name_that_does_not_break: 'y'.repeat(300) } });
  await own('POST', 'settle');
  const log = await (await fetch(`${home}log`)).json();
  const calls = log.entries.slice(-2).map((entry) => `${home}calls/${entry.seq}`);
  return [home, ...calls, `${home}leads`, `${home}leads/${id}`, `${home}workspace`, `${home}switches`];
}

test('a lead that loses a field appears while one looks on, and says why', async () => {
  const page = await visit(`${base}/`);
  assert.equal(page.url(), home);
  await page.getByText('No calls yet.').waitFor();
  await page.locator('[data-live][data-state="live"]').waitFor();
  await push({ fields: { phone: '919999999999', name: 'Asha Rao', rating: 9 } });

  const row = rows(page).first();
  await row.getByText('fields.rating dropped').waitFor();
  assert.equal(await rows(page).count(), 1);
  assert.equal(await page.getByText('No calls yet.').count(), 0);
  await page.locator('[data-announce]', { hasText: '1 new call' }).waitFor({ state: 'attached' });

  await row.getByRole('link', { name: 'createOrUpdateLead' }).click();
  const rating = page.getByRole('row', { name: /^fields\.rating/ });
  assert.match(await rating.innerText(), /fields\.rating\s+9\s+dropped\s+–\s+a rating is from 1 to 5 \(AS3\)/);
  assert.match(await page.getByRole('row', { name: /^fields\.name/ }).innerText(), /Asha Rao\s+stored\s+Asha Rao/);
  await page.getByRole('link', { name: 'the lead' }).click();
  await page.getByRole('heading', { name: 'Asha Rao' }).waitFor();
});

test('no call is lost or told twice, whatever happens to the connection', async () => {
  const page = await watchCalls();
  const names = () => page.locator('#list tbody tr').evaluateAll((all) => all.map((row) => Number(row.dataset.seq)));
  for (let i = 0; i < 5; i++) await sync('/metadata');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 5);
  // A pause is a connection that is closed, and another that goes on from the last event.
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
  await page.getByText('No calls yet.').waitFor();
  await sync('/metadata');
  await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 1);
});

/** Another emulator, at this port. */
async function startEmulator(port) {
  const child = spawn(process.env.TELECRM, ['emulator', '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += text;
    const url = /^export TELECRM_ASYNC_URL=(.*)$/m.exec(said)?.[1];
    if (url) return { url, stop: () => Promise.all([once(child, 'exit'), child.kill()]) };
  }
  throw new Error(`no emulator at port ${port}: ${said}`);
}

test('a page goes on where an emulator that was gone is back', async () => {
  let emulator = await startEmulator(0);
  const { port } = new URL(emulator.url);
  const ask = () => fetch(`${emulator.url}/autoupdate/v2/enterprise/ent-local/metadata`);
  // The connections that fail are told on the console, which no other test wants.
  const apart = await browser.newContext();
  try {
    const page = await apart.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(`${emulator.url}/_emulator/`);
    const state = (name) => page.locator(`[data-live][data-state="${name}"]`).waitFor();
    await state('live');
    await ask();
    await ask();
    await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 2);
    await page.evaluate(() => { window.isTheSame = true; });

    await emulator.stop();
    await state('waiting');
    // In its place there is first something that is no emulator.
    const other = createServer((_, answer) => answer.writeHead(503).end());
    other.listen(port, '127.0.0.1');
    await once(other, 'request');
    other.closeAllConnections();
    await new Promise((closed) => other.close(closed));
    emulator = await startEmulator(port);
    await state('live');
    await ask();
    await page.waitForFunction(() => document.querySelectorAll('#list tbody tr').length === 1);
    assert.equal(await page.evaluate(() => window.isTheSame), true, 'it was not loaded again');
  } finally {
    await apart.close();
    await emulator.stop();
  }
});

test('the list is filtered while one types, and what is new as well', async () => {
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
  await page.getByLabel('Only with losses').check();
  await rows(page).getByText('fields.rating').waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByLabel('Operation').selectOption('getMetadata');
  await page.getByText('No call fits.').waitFor();
});

test('markup in leads is text', async () => {
  const page = await watchCalls();
  const id = await create({ phone: '919999999999', name: ATTACK, [ATTACK]: ATTACK });
  await rows(page).first().getByText(`fields.${ATTACK} dropped`).waitFor();
  for (const address of [`${home}leads`, `${home}leads/${id}`, `${home}?q=${encodeURIComponent(ATTACK)}`]) {
    await page.goto(address);
    assert.ok((await page.locator('main').innerText()).includes('<script>alert(1)') || (await page.getByRole('searchbox').inputValue()) === ATTACK);
    assert.equal(await page.locator('main script, main img').count(), 0);
  }
});

test('a fault that is set on the page befalls the next call', async () => {
  const page = await visit(`${home}switches`);
  await page.getByLabel('Which operation').selectOption('getMetadata');
  await page.getByLabel('What happens').selectOption('answer');
  await page.getByLabel('Status, ms or content type').fill('503');
  await page.getByLabel('How many calls').fill('1');
  await page.getByRole('button', { name: 'Add the rule' }).click();
  await page.getByText('getMetadata answers another status: 503').waitFor();
  assert.equal((await sync('/metadata')).status, 503);
  assert.equal((await sync('/metadata')).status, 200);
  await page.goto(home);
  await page.getByText('fault: answer').waitFor();
  await page.goto(`${home}switches`);
  await page.getByLabel('What happens').selectOption('hang');
  await page.getByRole('button', { name: 'Add the rule' }).click();
  await page.getByRole('listitem').filter({ hasText: 'any operation never answers' }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('any operation never answers').waitFor({ state: 'detached' });
  await page.getByText('getMetadata answers another status: 503').waitFor();
  await page.getByRole('button', { name: 'Let all calls go right' }).click();
  await page.getByText('All calls go right.').waitFor();
});

test('a switch that is set on the page changes the next answer', async () => {
  await create({ phone: '919999999999', status: 'Won' });
  const status = async () => (await (await sync('/lead/search', {})).json()).data[0].status;
  assert.equal(await status(), undefined);
  const page = await visit(`${home}switches`);
  await page.getByLabel('lead-attributes').selectOption('row');
  await page.getByRole('button', { name: 'Set the switches' }).click();
  assert.equal(await page.getByLabel('lead-attributes').inputValue(), 'row');
  assert.equal(await status(), 'Won');
  await page.getByRole('button', { name: 'All as documented' }).click();
  assert.equal(await page.getByLabel('lead-attributes').inputValue(), 'fields');
  assert.equal(await status(), undefined);
});

test('what is copied makes the call again', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  await sync('/lead/search?limit=5', { fields: { name: "it's $HOME `id` \"quoted\"" } });
  const log = await (await fetch(`${home}log`)).json();
  const page = await visit(`${home}calls/${log.entries.at(-1).seq}`);
  const copied = async (name) => {
    await page.getByRole('button', { name: `Copy As ${name}` }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    await page.getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const rust = await copied('Rust');
  assert.ok(rust.startsWith('let reply = telecrm\n    .request(Method::Post, "/lead/search")\n    .query("limit", "5")'), rust);
  const curl = await copied('curl');
  assert.ok(!curl.includes(process.env.TELECRM_SYNC_TOKEN), 'tokens stay in the environment');
  const ran = await promisify(execFile)('sh', ['-c', `${curl} --silent --show-error --fail`]);
  assert.equal(JSON.parse(ran.stdout).total_count, 0);
  const seen = await (await fetch(`${home}log`)).json();
  const again = await visit(`${home}calls/${seen.entries.at(-1).seq}`);
  const body = (of) => of.locator('section[aria-labelledby="request"] pre').innerText();
  assert.equal(await body(again), await body(page));
});

test('nothing is wider than a phone', async () => {
  const all = await addresses();
  await open({ viewport: PHONE });
  for (const address of all) {
    const page = await visit(address);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${address} is ${width} px wide`);
    await page.close();
  }
});

/** How much brighter one colour is than the other, as accessibility guidelines count it. */
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

test('it is dark for those who want it so, and can be read either way', async () => {
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
  await page.getByRole('button', { name: 'Use light colours' }).click();
  assert.equal(await back(page), found.light);
  await page.reload();
  assert.equal(await back(page), found.light);
});

test('everything is reached by keys, and read without scripts', async () => {
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
  await still.getByText('No call fits.').waitFor();
});
