/** From nothing to a first backup, by what a person sees and clicks. */
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { expectAccessible, useStage } from './stage.ts';

const open = useStage();

async function addDestination(page: Page, folder: string, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Destinations' }).first().click();
  await page.getByRole('link', { name: 'Add destination' }).click();
  await page.getByRole('radio', { name: 'Folder or disk' }).waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('Works. A new repository will be made here.').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Add destination' }).click();
  await page.getByRole('heading', { name: `“${name}” is ready` }).waitFor();
}

async function takeKey(page: Page): Promise<string> {
  const key = await page.getByRole('status', { name: 'Your recovery key' }).innerText();
  await page.getByRole('checkbox', { name: /I have written down/ }).check();
  await page.getByRole('button', { name: 'Done' }).click();
  return key;
}

describe('the first backup', () => {
  it('is four decisions away from an empty window', async () => {
    const { page, host, source, destination, complaints } = await open({
      'letter.txt': 'Dear Ann',
      photos: { 'cat.jpg': 'not really' },
      'scratch.tmp': 'nothing',
    });
    await page.getByRole('heading', { name: 'Not protected yet' }).waitFor();
    await expectAccessible(page);

    await addDestination(page, destination, 'USB disk');
    const key = await takeKey(page);
    expect(key.split(' ').length).toBeGreaterThan(5);
    await page.getByRole('article', { name: 'USB disk' }).waitFor();
    const [disk] = (await host.destinations.list()).filter(({ name }) => name === 'USB disk');
    expect(disk).toMatchObject({ location: destination, hasRecoveryKey: true });

    await page.getByRole('link', { name: 'Plans' }).first().click();
    await page.getByRole('link', { name: 'New plan' }).click();
    await page.getByRole('textbox', { name: 'Folder or file' }).fill(source);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('2 files').waitFor();
    await page.getByRole('button', { name: 'Show what is left out' }).click();
    await page.getByRole('cell', { name: `${source}/scratch.tmp` }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('checkbox', { name: 'USB disk' }).check();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('The next starts').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('radio', { name: 'Balanced' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Name of the plan' }).fill('Documents');
    await page.getByRole('switch', { name: /Back up now/ }).uncheck();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create plan' }).click();
    await page.getByRole('article', { name: 'Documents' }).waitFor();
    await expectAccessible(page);
    expect(await host.plans.list()).toMatchObject([
      {
        plan: {
          name: 'Documents',
          sources: [{ kind: 'path', path: source }],
          destinations: [disk?.id],
          retention: { kind: 'balanced' },
        },
        lastSuccess: [],
      },
    ]);

    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByText('has no backup at “USB disk” yet').waitFor();
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor();
    await expectAccessible(page);
    const [run] = await host.runs.list();
    expect(run).toMatchObject({ state: 'succeeded', report: { kind: 'backup', filesNew: 2 } });
    const versions = await host.versions.list({ destinationId: disk?.id ?? '' });
    expect(versions).toMatchObject([{ planName: 'Documents', paths: [source], files: 2 }]);

    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('row', { name: /Documents to USB disk.*Succeeded/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Backup' }).click();
    await page.getByText('New files', { exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Run again' }).click();
    await expect
      .poll(async () => (await host.runs.list()).filter((r) => r.state === 'succeeded').length)
      .toBe(2);
    expect(complaints).toEqual([]);
  });
});

describe('a wizard', () => {
  it('does not go on without what it needs, and says what that is', async () => {
    const { page, host, complaints } = await open();
    await page.goto(new URL('/plans/new', page.url()).href);
    await page.getByRole('button', { name: 'Next' }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('Add at least one folder or file.');
    await page.getByRole('textbox', { name: 'Folder or file' }).fill('documents');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Give the whole path').waitFor();
    expect(await host.plans.list()).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('tells why a place can’t be used', async () => {
    const { page, source } = await open();
    await page.goto(new URL('/destinations/new', page.url()).href);
    await page.getByRole('button', { name: 'Next' }).click();
    // A name longer than any file system takes.
    await page.getByRole('textbox', { name: 'Folder' }).fill(`${source}/${'a'.repeat(300)}`);
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Test the connection, then go on.').waitFor();
  });
});

describe('the line to the host', () => {
  it('is said to be lost, and comes back by itself with what happened meanwhile', async () => {
    const { page, source, destination, kill, restart } = await open();
    await page.getByRole('heading', { name: 'Not protected yet' }).waitFor();
    await kill();
    await page.getByText('The connection to Holdfast was lost.').waitFor();
    mkdirSync(`${source}/new`);
    await restart();
    await page.getByText('The connection to Holdfast was lost.').waitFor({ state: 'detached' });
    await addDestination(page, destination, 'Disk');
    await takeKey(page);
  });
});
