/** What has happened: thousands of runs, one with many problems, and one that is cancelled and goes on. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { furnishPast } from './past.ts';
import { expectAccessible, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures)
    await page.screenshot({
      path: path.join(pictures, `${name}.png`),
      fullPage: !name.includes('-activity'),
    });
}

async function show(page: Page, address: string): Promise<void> {
  await page.goto(new URL(address, page.url()).href);
}

describe('thousands of runs', () => {
  it('are found by scrolling, by the keyboard and by the filter', async () => {
    const stage = await open();
    const { page, complaints } = stage;
    await furnishPast(stage, { backups: 3000, every: 1 });
    await show(page, '/activity');
    const table = page.getByRole('table', { name: 'Runs' });
    await table.getByRole('row').nth(3).waitFor();
    // Only what is in sight is there.
    expect(await table.getByRole('row').count()).toBeLessThan(60);
    const first = table.getByRole('row').nth(1).getByRole('link');
    await first.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('PageDown');
    expect(await focusedRow(page)).toBe('11');
    const atTheEnd = async () => {
      await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
      return await page.getByText('These are all 3,000 runs.').count();
    };
    await expect.poll(atTheEnd, { timeout: 90_000 }).toBe(1);
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
    await table.locator('[data-index="2999"]').waitFor();
    await page.evaluate('window.scrollTo(0, 0)');

    await page.getByRole('combobox', { name: 'State' }).selectOption('Failed');
    await expect.poll(() => new Set(page.url().split('?')[1]?.split('&'))).toEqual(new Set(['state=failed']));
    await table
      .getByRole('row', { name: /Failed/ })
      .first()
      .waitFor();
    expect(await table.getByRole('row', { name: /Succeeded/ }).count()).toBe(0);
    await table
      .getByRole('row', { name: /Failed/ })
      .first()
      .getByRole('link')
      .click();
    await page.getByText('The disk was not plugged in.').first().waitFor();
    await page.goBack();
    await table
      .getByRole('row', { name: /Failed/ })
      .first()
      .waitFor();
    await page.getByRole('combobox', { name: 'Kind' }).selectOption('Restore');
    await page.getByText('No run fits the filter').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Clear filter' }).click();
    await table
      .getByRole('row', { name: /Succeeded/ })
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it('include one with tens of thousands of problems', async () => {
    const stage = await open();
    const { page, complaints } = stage;
    const { newest } = await furnishPast(stage, { backups: 1, every: 1, problems: 30_000, logLines: 9000 });
    await show(page, `/activity/${newest}`);
    const problems = page.getByRole('table', { name: 'Problems' });
    await problems.getByText('letter 0.odt').waitFor();
    await problems.evaluate((box: { scrollTop: number; scrollHeight: number }) => {
      box.scrollTop = box.scrollHeight;
    });
    await problems.getByText('letter 29999.odt').waitFor();
    expect(await problems.getByRole('row').count()).toBeLessThan(60);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save list' }).click();
    const saved = readFileSync(await (await download).path(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(saved.length).toBe(30_000);
    expect(saved[29_999]).toContain('letter 29999.odt\tThe system does not let this file be read.');

    const log = page.getByRole('table', { name: 'Log' });
    await log.getByText('Line 0 of what was done').waitFor();
    await page.getByText('Warnings', { exact: true }).click();
    await log.getByText('Line 9 of what was done').waitFor();
    expect(await log.getByText('Line 0 of').count()).toBe(0);
    await page.getByText('Errors', { exact: true }).click();
    await page.getByText('No line of this kind.').waitFor();
    expect(complaints).toEqual([]);
  });
});

async function focusedRow(page: Page): Promise<unknown> {
  return await page.evaluate("document.activeElement?.closest('[data-index]')?.getAttribute('data-index')");
}

/** How many whole packs a repository has; trees are in smaller ones. */
function packsIn(repository: string): number {
  const files = readdirSync(path.join(repository, 'data'), { recursive: true, withFileTypes: true });
  return files.filter(
    (f) => /^[0-9a-f]{64}$/.test(f.name) && statSync(path.join(f.parentPath, f.name)).size > 8_000_000,
  ).length;
}

describe('a run that is cancelled', () => {
  it('ends within two seconds, and goes on where it was when it is run again', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`film-${i}.bin`, randomBytes(1_000_000)]),
    );
    const { page, host, source, destination, complaints } = await open(files);
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const plan = await host.plans.create({
      name: 'Films',
      sources: [{ kind: 'path', path: source }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
    });
    await host.settings.update({ uploadLimit: 6_000_000 });
    const [run] = await host.plans.run({ id: plan.id });
    await show(page, `/activity/${run?.id}`);
    await page.getByText('Time left').waitFor();
    // Something has arrived that a second run need not send again.
    await expect.poll(() => packsIn(destination), { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(() => page.title()).toMatch(/^\d+ % · /);
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByText(/1 run under way · \d+ %/)
      .waitFor();
    await picture(page, 'live-run');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor({ timeout: 2000 });
    await page.getByText('It was cancelled. What had been stored by then stays there').waitFor();
    await expect.poll(() => page.title()).toBe('Backup · Films to USB disk · Holdfast');

    await host.settings.update({ uploadLimit: null });
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByText('Succeeded', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText('60 new files and no changed one were backed up').waitFor();
    await page.getByRole('link', { name: 'an earlier run' }).waitFor();
    const [again, first] = await host.runs.list();
    expect([again?.state, first?.state]).toEqual(['succeeded', 'cancelled']);
    expect(again?.previousId).toBe(first?.id);
    // All files are new to the version, but not all their data to the repository.
    if (again?.report?.kind !== 'backup') throw new Error('no report');
    expect(again.report.bytesAdded).toBeLessThan(again.report.bytesProcessed);
    expect(complaints).toEqual([]);
  });
});

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
