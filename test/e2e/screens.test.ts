/**
 * Every screen with something on it, in light and dark: axe finds nothing, and the console is silent, which it is not when
 * the content security policy refuses something. HOLDFAST_SCREENSHOTS names a folder for pictures, to be looked at by people.
 */
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

/** A host that has been in use: two plans, two destinations, a good run and a failed one. */
async function furnish({ host, source, destination }: Stage) {
  const added = await host.destinations.add({ name: 'USB disk', location: destination });
  const destinations = [added.destination.id];
  const when = { kind: 'daily' as const, at: ['12:30'] };
  const docs = await host.plans.create({
    name: 'Documents',
    sources: [{ kind: 'path', path: source }],
    destinations,
    schedule: { when },
  });
  const gone = await host.plans.create({
    name: 'Photos',
    sources: [{ kind: 'path', path: path.join(source, 'not-there') }],
    destinations,
    schedule: { when: { kind: 'weekly', days: ['mon', 'thu'], at: '20:00' } },
    retention: { kind: 'recent', days: 90 },
  });
  const runs = [...(await host.plans.run({ id: docs.id })), ...(await host.plans.run({ id: gone.id }))];
  const states = async () => (await host.runs.list()).map(({ state }) => state).sort();
  await expect.poll(states, { timeout: 30_000 }).toEqual(['failed', 'succeeded']);
  return { good: runs[0]?.id ?? '', failed: runs[1]?.id ?? '', planId: docs.id };
}

describe.each([
  { scheme: 'light', language: 'en', viewport: { width: 1280, height: 900 } },
  { scheme: 'dark', language: 'en', viewport: { width: 1280, height: 900 } },
  { scheme: 'light', language: 'de', viewport: { width: 1280, height: 900 } },
  { scheme: 'dark', language: 'de', viewport: { width: 420, height: 900 } },
] as const)('in $scheme, $language, $viewport.width wide', ({ scheme, language, viewport }) => {
  it('every screen is whole', async () => {
    const stage = await open(
      { 'letter.txt': 'Dear Ann', 'big.bin': new Uint8Array(3_000_000).fill(7) },
      { colorScheme: scheme, locale: language === 'de' ? 'de-DE' : 'en-GB', viewport },
    );
    const { page } = stage;
    await page.locator('h1').waitFor();
    await picture(page, `${scheme}-${language}-${viewport.width}-first`);
    const { good, failed, planId } = await furnish(stage);
    const screens = {
      home: '/',
      plans: '/plans',
      'plan-new': '/plans/new',
      'plan-edit': `/plans/${planId}`,
      destinations: '/destinations',
      'destination-new': '/destinations/new',
      restore: '/restore',
      activity: '/activity',
      run: `/activity/${good}`,
      'run-failed': `/activity/${failed}`,
      disks: '/disks',
      welcome: '/welcome',
      recovery: '/recovery',
      settings: '/settings',
      missing: '/no-such-page',
    };
    for (const [name, address] of Object.entries(screens)) {
      await page.goto(new URL(address, page.url()).href);
      await page.locator('h1, .hf-empty h2').first().waitFor();
      await page.waitForLoadState('networkidle');
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await picture(page, `${scheme}-${language}-${viewport.width}-${name}`);
      await expectAccessible(page);
    }
    expect(stage.complaints).toEqual([]);
  });
});
