/** The window's own page under the policy that the shell sends with it, in a real Chromium. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileHandler } from '../../main/files.ts';
import { launchBrowser } from '../../scripts/browser.ts';
import { buildRenderer } from '../../scripts/build-renderer.ts';

const root = join(import.meta.dirname, '../..');
let server: Server;
let browser: Browser;
let address: string;

/** The app's handler behind HTTP: no browser but Electron knows its scheme. */
beforeAll(async () => {
  await buildRenderer();
  const answer = fileHandler(join(root, 'dist/renderer'));
  server = createServer(async (req, res) => {
    const { status, headers, body } = await answer(new Request(`app://holdfast${req.url}`));
    res.writeHead(status, Object.fromEntries(headers));
    res.end(body ? Buffer.from(await new Response(body).arrayBuffer()) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
});

it('shows itself without asking for anything that the policy refuses', async () => {
  const page = await browser.newPage({ locale: 'en-US' });
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  // As the preload script puts it there; there is no host behind it.
  const listen = '() => () => {}';
  await page.addInitScript(
    `window.holdfast = { platform: 'linux', requestPort() {}, onHost: ${listen}, onNavigate: ${listen}, onUpdate: ${listen} }`,
  );
  await page.goto(address);
  await page.locator('#root *').first().waitFor({ state: 'attached' });
  await page.evaluate('document.fonts.ready');
  expect(await page.evaluate('getComputedStyle(document.body).fontFamily')).toContain('Inter');
  expect(said.filter((text) => /Content Security Policy|Refused|Error/i.test(text))).toEqual([]);
});

it('would be told of by the browser', async () => {
  const page = await browser.newPage({ locale: 'en-US' });
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  await page.goto(address);
  await page.evaluate(
    "document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }))",
  );
  await expect.poll(() => said.some((text) => /Content Security Policy/.test(text))).toBe(true);
});
