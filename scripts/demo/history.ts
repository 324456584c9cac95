/** Some weeks of somebody's backups, lived through by a real host. */
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { changeFiles, firstFiles } from './files.ts';
import { type DemoHost, quiet } from './host.ts';

export const DAYS = 42;
const DAY_MS = 86_400_000;
const UNPLUGGED = [17, 18];

export interface Demo {
  readonly documents: string;
  readonly photos: string;
  /** The plan of what takes long; never run yet. */
  readonly videos: string;
}

/** The hour of a day, by this computer's clock, so many days ago. */
function hourOf(daysAgo: number, hour: number): number {
  const day = new Date(Date.now() - daysAgo * DAY_MS);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour).getTime();
}

export function beginning(): number {
  return hourOf(DAYS, 10);
}

/** `media`: a folder that stands for a disk's. The host's clock stands at the present afterwards. */
export async function liveThrough(host: DemoHost, home: string, media: string): Promise<Demo> {
  firstFiles(home, host.now() - 30 * DAY_MS);
  const demo = await makePlans(host, home, media);
  for (let daysAgo = DAYS; daysAgo > 0; daysAgo--) {
    const day = DAYS - daysAgo;
    const away = UNPLUGGED.includes(day);
    if (away) renameSync(media, `${media} (away)`);
    changeFiles(home, day, hourOf(daysAgo, 11));
    for (const hour of [13, 21]) await pass(host, hourOf(daysAgo, hour));
    if (away) renameSync(`${media} (away)`, media);
  }
  await pass(host, Date.now());
  await host.client.plans.run({ id: demo.videos });
  await quiet(host);
  return demo;
}

/** Whatever is due by then is run. */
async function pass(host: DemoHost, at: number): Promise<void> {
  const before = await host.client.system.status();
  await host.setClock(at);
  await host.client.system.wake();
  // The scheduler has looked when the next start lies ahead again; a destination that is away leaves it behind.
  for (let i = 0; i < 40; i++) {
    await quiet(host);
    const { nextBackupAt, lastBackupAt } = await host.client.system.status();
    if (nextBackupAt === null || nextBackupAt > at || lastBackupAt !== before.lastBackupAt) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await quiet(host);
}

async function makePlans({ client }: DemoHost, home: string, media: string): Promise<Demo> {
  mkdirSync(media, { recursive: true });
  const add = async (name: string, folder: string) =>
    (await client.destinations.add({ name, location: path.join(media, folder) })).destination.id;
  const usb = await add('USB disk', 'Backups');
  const nas = await add('NAS in the study', '../nas/ann');
  const plan = async (
    name: string,
    folder: string,
    destinations: string[],
    when: 'daily' | 'weekly' | 'manual',
  ) => {
    const recurrence =
      when === 'daily'
        ? { kind: 'daily' as const, at: ['12:30'] }
        : when === 'weekly'
          ? { kind: 'weekly' as const, days: ['wed' as const, 'sun' as const], at: '20:00' }
          : { kind: 'manual' as const };
    const made = await client.plans.create({
      name,
      sources: [{ kind: 'path', path: path.join(home, folder) }],
      destinations,
      schedule: { when: recurrence },
    });
    return made.id;
  };
  return {
    documents: await plan('Documents', 'Documents', [usb, nas], 'daily'),
    photos: await plan('Photos', 'Pictures', [usb], 'weekly'),
    videos: await plan('Videos', 'Videos', [nas], 'manual'),
  };
}
