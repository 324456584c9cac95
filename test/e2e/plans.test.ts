/** Plans that are changed: what no step shows stays, and all of it outlives the host. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectSocket } from '../../src/transport/web-socket.ts';
import { lookAway } from './past.ts';
import { expectAccessible, useStage } from './stage.ts';

const open = useStage();

/** Of everything that a plan can have, some. */
const RICH = {
  name: 'Office',
  rules: {
    presets: ['caches' as const],
    lines: ['*.bak', '!keep.bak'],
    excludeLargerThan: 5_000_000_000,
    excludeIfPresent: ['.nobackup'],
    excludeCaches: false,
    oneFileSystem: true,
  },
  schedule: {
    when: { kind: 'daily' as const, at: ['09:00', '17:30'] },
    timeZone: 'Europe/Berlin',
    jitterMinutes: 7,
    catchUp: false,
    onConnect: false,
  },
  retention: { kind: 'custom' as const, keep: { last: 3, daily: 30, yearly: 5 } },
  hooks: { before: [{ command: ['true'], required: false, timeoutSeconds: 5 }] },
  options: {
    uploadLimit: 400_000,
    downloadLimit: 900_000,
    priority: 'normal' as const,
    onBattery: 'wait' as const,
    onMetered: 'run' as const,
  },
  tags: ['office'],
};

describe('a plan', () => {
  it('is edited by its wizard, keeps what is not shown there, and is the same after a crash', async () => {
    const { page, host, source, destination, complaints, kill, restart } = await open({
      'a.txt': 'a',
      'b.bak': 'b',
      'c.log': 'c',
    });
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const command = { kind: 'command' as const, fileName: 'db.sql', command: ['echo', 'rows'] };
    const before = await host.plans.create({
      ...RICH,
      sources: [{ kind: 'path', path: source }, command],
      destinations: [disk.id],
    });
    await page.getByRole('link', { name: 'Plans' }).first().click();
    const address = page.url();
    await page.getByRole('link', { name: 'Office' }).click();

    await page.getByText('1 file,').first().waitFor();
    await page.getByText('Output of echo rows').waitFor();
    await page.getByRole('button', { name: 'Show what is left out' }).click();
    await page.getByRole('row', { name: /b\.bak.*Rule \*\.bak/ }).waitFor();
    await page.getByRole('textbox', { name: 'Further rules' }).fill('*.bak\n!keep.bak\n*.log');
    await page.getByRole('row', { name: /c\.log.*Rule \*\.log/ }).waitFor();
    await page.getByRole('textbox', { name: 'Try a path' }).fill(path.join(source, 'keep.bak'));
    await page.getByText('It is backed up.').waitFor();
    await page.getByRole('textbox', { name: 'Try a path' }).fill(path.join(source, 'x.bak'));
    await page.getByText('It is left out: Rule *.bak.').waitFor();
    await expectAccessible(page);

    await page.getByRole('button', { name: 'When' }).click();
    await page.getByLabel('At').nth(1).fill('18:15');
    await page.getByRole('button', { name: 'Another time' }).click();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Remove 23:15' }).click();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('textbox', { name: 'Name of the plan' }).fill('Papers');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('article', { name: 'Papers' }).waitFor();

    await lookAway(page);
    await kill();
    await restart();
    await page.goto(address);
    await page.getByRole('article', { name: 'Papers' }).waitFor();
    const again = await connectSocket(path.join(path.dirname(source), 'data', 'host.sock'));
    const { plan } = await again.client.plans.get({ id: before.id });
    again.close();
    expect(plan).toEqual({
      ...before,
      name: 'Papers',
      rules: { ...before.rules, lines: ['*.bak', '!keep.bak', '*.log'] },
      schedule: { ...before.schedule, when: { kind: 'daily', at: ['09:00', '18:15'] } },
      updatedAt: plan.updatedAt,
    });
    expect(complaints).toEqual([]);
  });

  it('warns where backups would be backed up', async () => {
    const { page, host, source } = await open();
    const location = path.join(source, 'backups');
    const { destination } = await host.destinations.add({ name: 'Inside', location });
    await host.plans.create({
      name: 'Loop',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
    });
    await page.getByRole('link', { name: 'Plans' }).first().click();
    await page.getByRole('link', { name: 'Loop' }).click();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText('lies inside of what is backed up').waitFor();
  });
});
