/**
 * The window as people meet it: the built program with fresh data, a real browser, real files.
 *
 * stage  one host with its own folders, and a page that is signed in to it
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchBrowser } from '../../scripts/browser.ts';
import type { Client } from '../../src/transport/client.ts';
import { connectSocket } from '../../src/transport/web-socket.ts';
import { ENTRY } from '../helpers/holdfast.ts';
import { useTemp } from '../helpers/scope.ts';
import { type LiteralFolder, tree, writeTree } from '../helpers/tree.ts';

export interface Stage {
  readonly page: Page;
  /** The host itself, past the page; after `restart` it is another one. */
  readonly host: Client;
  /** Exists, with the files that were asked for. */
  readonly source: string;
  /** A path where nothing is yet. */
  readonly destination: string;
  /** What the browser's console said that must not be said: errors, and refusals of the content security policy. */
  readonly complaints: readonly string[];
  /** Kills the host as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  restart(): Promise<void>;
  /** A second browser, signed in to the same host. */
  anotherBrowser(): Promise<Page>;
}

/** The stages of a test file: `const open = useStage()`, then `await open()` in each test. */
export function useStage() {
  const temp = useTemp();
  const closers: (() => unknown)[] = [];
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(() => browser.close());
  return async (
    files: LiteralFolder = { 'a.txt': 'hello' },
    options: BrowserContextOptions = {},
    { welcome = false }: { readonly welcome?: boolean } = {},
  ): Promise<Stage> => {
    const home = temp.dir('home');
    const source = path.join(home, 'documents');
    mkdirSync(source);
    writeTree(source, tree(files));
    const host = new HostProcess(home);
    closers.push(() => host.kill());
    const url = await host.start(0);
    const context = await browser.newContext({
      locale: 'en-GB',
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    closers.push(() => context.close());
    // As for somebody who has put the welcome off, unless the test is about that.
    // Not on an empty page, which has no place to keep anything.
    if (!welcome) {
      await context.addInitScript(
        "if (location.origin !== 'null') localStorage.setItem('holdfast.welcome', 'later')",
      );
    }
    const page = await context.newPage();
    const complaints = listen(page);
    await page.goto(url);
    const connect = () => connectSocket(path.join(home, 'data', 'host.sock'));
    let connection = await connect();
    closers.push(() => connection.close());
    return {
      page,
      get host() {
        return connection.client;
      },
      source,
      destination: path.join(home, 'backups'),
      complaints,
      kill: () => host.kill(),
      anotherBrowser: async () => {
        const second = await browser.newContext({ storageState: await context.storageState(), ...options });
        closers.push(() => second.close());
        const other = await second.newPage();
        await other.goto(new URL('/', url).href);
        return other;
      },
      restart: async () => {
        await host.start(Number(new URL(url).port));
        connection.close();
        connection = await connect();
      },
    };
  };
}

function listen(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

/** `holdfast serve` as a process. */
class HostProcess {
  readonly #home: string;
  #child: ChildProcess | undefined;

  constructor(home: string) {
    this.#home = home;
  }

  /** The address that signs in. */
  async start(port: number): Promise<string> {
    const child = spawn(process.execPath, [ENTRY, 'serve', '--port', String(port)], {
      env: {
        PATH: process.env.PATH ?? '/usr/bin:/bin',
        HOME: this.#home,
        HOLDFAST_DATA_DIR: path.join(this.#home, 'data'),
        HOLDFAST_CACHE_DIR: path.join(this.#home, 'cache'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Holdfast is ready at (\S+)$/.exec(line)?.[1];
      if (url) return url;
    }
    throw new Error(`serve ended with ${child.exitCode} before it was ready`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}

/** Fails with what axe finds against WCAG 2.2 AA on the page as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary ?? ''}`).join('\n')}`,
  );
  expect(found).toEqual([]);
}
