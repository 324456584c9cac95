/**
 * A month in the life of a host: the real one, on real folders with real repositories, by a clock that a test moves. Each day
 * files change; disks are taken away, a source vanishes, the computer sleeps, is shut down in mid-backup, and somebody sets
 * the clock. In the end the repositories, the diary and the alerts must agree with what had to happen.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/api/model/run.ts';
import { type Host, openHost } from '../../src/host/host.ts';
import { type HttpSink, startHttpSink } from '../helpers/http-sink.ts';
import { useTemp } from '../helpers/scope.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const temp = useTemp();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONE = 'Europe/Berlin';
/** The clocks there go back on the 25th. */
const START = '2026-10-05T06:00:00Z';

/** One computer: its folders, its clock, and the host while it is switched on. */
class Computer {
  readonly home = temp.dir('computer');
  readonly source = join(this.home, 'documents');
  readonly data = join(this.home, 'data');
  readonly clock = new VirtualClock(START, { settle: () => this.settle() });
  readonly warnings: string[] = [];
  host!: Host;

  async switchOn(): Promise<void> {
    this.host = await openHost({
      dataDir: this.data,
      version: '0.0.0-test',
      mode: 'serve',
      clock: this.clock,
      random: () => 0,
      env: { PATH: process.env.PATH },
      log: (_level, text) => this.warnings.push(text),
    });
    await this.settle();
  }

  /** Virtual time stands still while real work goes on. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const busy = this.host?.busy ?? false;
      await new Promise((resolve) => (busy ? setTimeout(resolve, 5) : setImmediate(resolve)));
      quiet = busy ? 0 : quiet + 1;
    }
    // Its time-outs go by the same clock.
    await this.host?.told();
  }

  /** What each version should hold: the day of the newest change. */
  write(day: number): void {
    fs.writeFileSync(join(this.source, 'diary.txt'), `day ${day}\n`);
    fs.writeFileSync(join(this.source, `day-${day % 7}.txt`), `${day} `.repeat(2000));
  }

  async runs(planId: string, destinationId: string): Promise<readonly Run[]> {
    const runs = await this.host.client.runs.list({ kinds: ['backup'], planId, destinationId, limit: 500 });
    return runs.toReversed();
  }
}

const localDay = (at: number) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short' }).format(at);
const localTime = (at: number) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, timeStyle: 'short' }).format(at);

interface Told {
  readonly event: string;
  readonly kind: string;
  readonly subject: string;
  readonly id: string;
}

function toldBy(sink: HttpSink): readonly Told[] {
  return sink.requests.map((request) => JSON.parse(request.body) as Told);
}

describe('thirty days', () => {
  it('leave repositories, diary and alerts that agree with what happened', async () => {
    await using sink = await startHttpSink();
    const computer = new Computer();
    const { clock, source } = computer;
    fs.mkdirSync(source);
    computer.write(0);
    await computer.switchOn();
    const { client } = computer.host;
    const add = async (name: string) =>
      (await client.destinations.add({ name, location: join(computer.home, name) })).destination;
    const [usb, nas] = [await add('usb'), await add('nas')];
    await client.alerts.addChannel({ name: 'hook', target: { kind: 'webhook', url: sink.url } });
    const plan = await client.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [usb.id, nas.id],
      schedule: { when: { kind: 'daily', at: ['12:30'] }, timeZone: ZONE },
      retention: { kind: 'custom', keep: { daily: 10 } },
    });

    const usbPath = join(computer.home, 'usb');
    for (let day = 1; day <= 30; day++) {
      computer.write(day);
      if (day === 5) fs.renameSync(usbPath, `${usbPath}.away`);
      if (day === 8) fs.renameSync(`${usbPath}.away`, usbPath);
      if (day === 10) fs.renameSync(source, `${source}.gone`);
      if (day === 13 || day === 14) {
        // Asleep over two starts; the third day's own start comes after waking.
        await clock.suspend(DAY, 'stand-still');
        continue;
      }
      if (day === 17) await shutDownInMidRun(computer);
      else await clock.advance(DAY);
      if (day === 10) fs.renameSync(`${source}.gone`, source);
      if (day === 22) await clock.shift(-HOUR);
      if (day === 23) await clock.shift(HOUR);
    }
    await clock.advance(2 * HOUR);

    const asleep = ['2026-10-17', '2026-10-18'];
    const away = ['2026-10-09', '2026-10-10', '2026-10-11'];
    await diaryAgrees(computer, plan.id, usb.id, { without: [...away, ...asleep], caughtUp: 2 });
    await diaryAgrees(computer, plan.id, nas.id, { without: asleep, caughtUp: 1 });
    for (const destination of [usb, nas]) await repositoryAgrees(computer, plan.id, destination.id);
    alertsAgree(sink, computer);
    await computer.host.close();
  });
});

/** A large file makes the backup of the day take a while; the host is told to end while it is under way. */
async function shutDownInMidRun(computer: Computer): Promise<void> {
  const { clock, source } = computer;
  fs.writeFileSync(join(source, 'large.bin'), Buffer.alloc(300 << 20, 'not much in it '));
  await clock.advance(4 * HOUR);
  const ends = new AbortController();
  const events = await computer.host.client.system.events(undefined, { signal: ends.signal });
  const advancing = clock.advance(HOUR);
  const running = new Set<string>();
  for await (const event of events) {
    if (event.kind === 'run' && event.run.state === 'running') running.add(event.run.id);
    if (running.size === 2) break;
  }
  await computer.host.close();
  await advancing;
  fs.rmSync(join(source, 'large.bin'));
  await computer.switchOn();
  await clock.advance(DAY - 5 * HOUR);
}

interface Expected {
  /** Days without a start, because the disk was away or the computer asleep. */
  readonly without: readonly string[];
  /** Gaps, after each of which one backup makes up for all that was missed. */
  readonly caughtUp: number;
}

const SOURCE_GONE = '2026-10-14';
const SHUT_DOWN = '2026-10-21';

/** Each other day has just one start, at 12:30 there, summer and winter; each gap one that makes up for it. */
async function diaryAgrees(
  computer: Computer,
  planId: string,
  destinationId: string,
  { without, caughtUp }: Expected,
): Promise<void> {
  const runs = await computer.runs(planId, destinationId);
  const by = (trigger: Run['trigger']) => runs.filter((run) => run.trigger === trigger);
  const punctual = by('schedule').map((run) => localDay(run.queuedAt));
  const days = Array.from({ length: 30 }, (_, i) => localDay(Date.parse(START) + 6 * HOUR + i * DAY));
  expect(punctual).toEqual(days.filter((day) => !without.includes(day)));
  for (const run of by('schedule')) expect(['12:30', '12:31', '12:32']).toContain(localTime(run.queuedAt));
  expect(by('catch-up').length + by('connect').length).toBe(caughtUp);
  const [interrupted, ...others] = runs.filter((run) => run.state === 'interrupted');
  expect(others).toEqual([]);
  expect(localDay(interrupted!.queuedAt)).toBe(SHUT_DOWN);
  expect(by('continue')).toMatchObject([{ state: 'succeeded', previousId: interrupted!.id }]);
  const failed = runs.filter((run) => run.state === 'failed');
  expect(failed).toMatchObject([{ trigger: 'schedule', error: { code: 'source-missing' } }]);
  expect(localDay(failed[0]!.queuedAt)).toBe(SOURCE_GONE);
  expect(runs.filter((run) => run.state === 'succeeded').length).toBe(runs.length - 2);
}

/** Every version is one that the diary knows, what it should keep is there, the newest is whole, and a full check passes. */
async function repositoryAgrees(computer: Computer, planId: string, destinationId: string): Promise<void> {
  const { client } = computer.host;
  const versions = await client.versions.list({ destinationId, planId });
  const runs = await computer.runs(planId, destinationId);
  const made = new Map(
    runs.flatMap((run) => (run.report?.kind === 'backup' ? [[run.report.snapshotId, run] as const] : [])),
  );
  for (const version of versions) expect(made.has(version.id)).toBe(true);
  // Ten days by the last clean-up, and what came after it.
  expect(versions.length).toBeGreaterThanOrEqual(10);
  expect(versions.length).toBeLessThanOrEqual(17);
  for (const version of [versions[0]!, versions[5]!, versions.at(-1)!]) {
    const target = temp.dir('restored');
    const { id } = await client.runs.restore({
      destinationId,
      versionId: version.id,
      target: { kind: 'folder', path: target },
    });
    await computer.settle();
    expect(await client.runs.get({ id })).toMatchObject({ state: 'succeeded' });
    const text = fs.readFileSync(join(target, computer.source, 'diary.txt'), 'utf8');
    const day = Number(/^day (\d+)\n$/.exec(text)?.[1]);
    expect(fs.readFileSync(join(target, computer.source, `day-${day % 7}.txt`), 'utf8')).toBe(
      `${day} `.repeat(2000),
    );
  }
  const { id } = await client.destinations.check({ id: destinationId, percent: 100 });
  await computer.settle();
  const check = await client.runs.get({ id });
  expect(check).toMatchObject({ state: 'succeeded', report: { percentRead: 100, findings: [] } });
  const maintained = await client.runs.list({ kinds: ['check', 'cleanup'], destinationId, limit: 500 });
  expect(maintained.filter((run) => run.trigger !== 'manual').length).toBeGreaterThanOrEqual(6);
  expect(maintained.filter((run) => run.state !== 'succeeded')).toEqual([]);
}

/** Each state of affairs was told once when it began and once when it was over. */
function alertsAgree(sink: HttpSink, computer: Computer): void {
  const told = toldBy(sink);
  const of = (event: string, kind: string) => told.filter((one) => one.event === event && one.kind === kind);
  for (const kind of new Set(told.map((one) => one.kind))) {
    const ids = of('alert', kind).map((one) => one.id);
    expect(new Set(ids).size, `${kind} was told twice`).toBe(ids.length);
    expect(
      of('recovery', kind).map((one) => one.id),
      `the end of ${kind}`,
    ).toEqual(ids);
  }
  const kinds = told.filter((one) => one.event === 'alert').map((one) => one.kind);
  // The source was missing for both destinations; the disk was away for three days, and so was its newest backup.
  expect(kinds.toSorted()).toEqual(['destination-unreachable', 'no-backup', 'run-failed', 'run-failed']);
  expect(computer.host.store.alerts.open()).toEqual([]);
  const { verdict } = computer.host.status();
  expect(verdict).toEqual({ state: 'protected', reasons: [] });
}
