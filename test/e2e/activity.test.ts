/** What has happened: thousands of runs, one with many problems, and one that is cancelled and goes on. */
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { furnishPast } from './past.ts';
import { expectAccessible, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: !name.includes('-activity') });
}

async function show(page: Page, address: string): Promise<void> {
  await page.goto(new URL(address, page.url()).href);
}

const SCREENS = [
  { name: 'light', options: { colorScheme: 'light' } },
  { name: 'dark', options: { colorScheme: 'dark', locale: 'de-DE' } },
  { name: 'narrow', options: { colorScheme: 'light', viewport: { width: 420, height: 900 } } },
] as const;

describe.each(SCREENS)('a long past, $name', ({ name, options }) => {
  it('is drawn and listed, and axe finds nothing', async () => {
    const stage = await open({}, options);
    const { page, complaints } = stage;
    const { newest } = await furnishPast(stage, { backups: 160, every: 13, problems: 40, logLines: 60 });
    await show(page, '/activity');
    await page.getByRole('row').nth(3).waitFor();
    await page.locator('.hf-chart svg path').first().waitFor();
    await picture(page, `${name}-activity`);
    await expectAccessible(page);
    await page.locator('button[aria-pressed]').click();
    await page.locator('.hf-past [role=row]').nth(3).waitFor();
    await picture(page, `${name}-activity-table`);
    await expectAccessible(page);
    await show(page, `/activity/${newest}`);
    await page.locator('.hf-log [role=row]').first().waitFor();
    await page.locator('.hf-problems [role=row]').nth(2).waitFor();
    await picture(page, `${name}-run`);
    await expectAccessible(page);
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    expect(complaints).toEqual([]);
  });
});
