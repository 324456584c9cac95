/** The app in a real Electron, where its binary and a display can be had; elsewhere these tests say that they were skipped. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { _electron, type ElectronApplication } from 'playwright';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildMain } from '../../scripts/build-main.ts';
import { whyNoWindow } from '../../scripts/start.ts';
import { useTemp } from '../helpers/scope.ts';

const root = join(import.meta.dirname, '../..');
const missing = await whyNoWindow();
if (missing !== undefined) console.warn(`SKIPPED: nothing was tried in a real Electron. ${missing}`);

describe.skipIf(missing !== undefined)('in a real Electron', () => {
  const temp = useTemp();
  const main = join(root, 'main/dist/main.cjs');

  beforeAll(() => buildMain({ out: join(root, 'main/dist') }), 60_000);

  async function launch(): Promise<ElectronApplication> {
    const home = fs.realpathSync(temp.dir('home'));
    return _electron.launch({
      args: [main],
      env: { ...process.env, HOLDFAST_DATA_DIR: join(home, 'data') } as never,
    });
  }

  it('opens a window of its own files, without Node, that reaches the host', async () => {
    const app = await launch();
    try {
      const page = await app.firstWindow();
      expect(page.url()).toBe('app://holdfast/');
      expect(await page.evaluate('typeof require + typeof process')).toBe('undefinedundefined');
      await page.getByRole('heading').first().waitFor();
    } finally {
      await app.close();
    }
  });

  it('cannot be led elsewhere, and opens no windows', async () => {
    const app = await launch();
    try {
      const page = await app.firstWindow();
      await page.evaluate("void (location.href = 'https://example.com/')");
      await page.evaluate("window.open('https://example.com/')");
      expect(page.url()).toMatch(/^app:\/\/holdfast\//);
      expect(app.windows()).toHaveLength(1);
    } finally {
      await app.close();
    }
  });

  it('is hidden when its window is closed', async () => {
    const app = await launch();
    try {
      await app.firstWindow();
      const visible = await app.evaluate(({ BrowserWindow }) => {
        const [window] = BrowserWindow.getAllWindows();
        window?.close();
        return window?.isVisible();
      });
      expect(visible).toBe(false);
    } finally {
      await app.evaluate(({ app: electronApp }) => electronApp.exit(0)).catch(() => undefined);
    }
  });
});
