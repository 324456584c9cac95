/**
 * The bandwidth that is kept to, second by second, by a storage that is paced: REST over real sockets, on a clock that this test
 * moves. What travels takes no time there but for what the pace makes it wait.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Backend, Handle, Pace } from '../../../src/backend/backend.ts';
import { createPace, limit } from '../../../src/backend/limit.ts';
import { createRest } from '../../../src/backend/rest/rest.ts';
import { retry } from '../../../src/backend/retry.ts';
import { until } from '../../helpers/until.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { type Harm, RestServer, type Seen } from '../../servers/rest.ts';

const RATE = 1_000_000;
const TOTAL = 12 * RATE;
const WINDOWS_MS = [1000, 1500, 4000];

interface Travelled {
  readonly at: number;
  readonly bytes: number;
}

/** Counts what `pace` lets through. */
function counted(pace: Pace, let_: (direction: 'up' | 'down', bytes: number) => void): Pace {
  return {
    piece: pace.piece,
    async up(bytes, signal) {
      await pace.up(bytes, signal);
      let_('up', bytes);
    },
    async down(bytes, signal) {
      await pace.down(bytes, signal);
      let_('down', bytes);
    },
  };
}

/** A paced REST storage, workers on it, and what travelled when: upwards as the server heard it. */
async function setUp() {
  const travelled: Travelled[] = [];
  let [workers, let_, heard] = [0, 0, 0];
  // Time goes on only when all of it has arrived and each worker waits for its turn.
  const settle = (): Promise<void> => until(() => heard === let_ && clock.sleepers >= workers);
  const clock: VirtualClock = new VirtualClock(0, { settle });
  const travel = (bytes: number) => travelled.push({ at: clock.now(), bytes });
  const server = await RestServer.start({
    existing: 'replace',
    onBytes: (bytes) => {
      heard += bytes;
      travel(bytes);
    },
  });
  const rates = { uploadBytesPerSecond: RATE, downloadBytesPerSecond: RATE };
  const pace = counted(createPace(rates, clock), (direction, bytes) => {
    if (direction === 'up') let_ += bytes;
    else travel(bytes);
  });
  const storage = await createRest(server.target());
  const again = retry({ clock, initialDelayMs: 10, maxDelayMs: 10, random: () => 0 });
  const backend = again(limit({ clock, paces: [pace] })(storage));
  onTestFinished(async () => {
    await backend.close();
    await server[Symbol.asyncDispose]();
  });
  /** Does `work` for each file, five at once; resolves when all is done. */
  const each = async (files: readonly Handle[], work: (h: Handle) => Promise<unknown>) => {
    const queue = [...files];
    const all = Array.from({ length: Math.min(5, files.length) }, async () => {
      workers++;
      for (let h = queue.shift(); h; h = queue.shift()) await work(h);
      workers--;
    });
    await Promise.race([Promise.all(all), clock.advance(3_600_000)]);
    expect(workers).toBe(0);
  };
  return { server, backend, travelled, each };
}

function files(count: number): { readonly handles: readonly Handle[]; readonly data: Buffer } {
  const handles = Array.from(
    { length: count },
    () => ({ type: 'pack', name: randomBytes(32).toString('hex') }) as const,
  );
  return { handles, data: Buffer.alloc(TOTAL / count) };
}

/** The most and the least in any window that the travel covers, as parts of what the rate allows in it. */
function extremes(travelled: readonly Travelled[]): { readonly most: number; readonly least: number } {
  const last = travelled.at(-1)?.at ?? 0;
  let [most, least] = [0, Number.POSITIVE_INFINITY];
  for (const ms of WINDOWS_MS) {
    for (const [i, { at, bytes }] of travelled.entries()) {
      let sum = 0;
      for (let j = i; j < travelled.length && travelled[j]!.at <= at + ms; j++) sum += travelled[j]!.bytes;
      const allowed = (RATE * ms) / 1000;
      most = Math.max(most, sum / allowed);
      // Without what the window begins with, for that travelled at its very edge.
      if (at + ms <= last) least = Math.min(least, (sum - bytes) / allowed);
    }
  }
  return { most, least };
}

function expectKept(travelled: readonly Travelled[], total = TOTAL): void {
  expect(travelled.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total);
  const { most, least } = extremes(travelled);
  expect(most).toBeLessThanOrEqual(1.1);
  expect(least).toBeGreaterThanOrEqual(0.9);
}

const COUNTS = [1, 5, 60, 1200];

describe('the rate, over any second', () => {
  it.each(COUNTS)('is kept upwards, with so many files: %i', async (count) => {
    const { backend, travelled, each } = await setUp();
    const { handles, data } = files(count);
    await each(handles, (h) => backend.save(h, [data]));
    expectKept(travelled);
  });

  it.each(COUNTS)('is kept downwards, with so many files: %i', async (count) => {
    const { server, backend, travelled, each } = await setUp();
    const { handles, data } = files(count);
    for (const { name } of handles) server.files.set(`data/${name}`, data);
    await each(handles, async (h) => expect(await backend.load(h)).toHaveLength(data.length));
    expectKept(travelled);
  });

  it('is kept downwards in ranges', async () => {
    const { server, backend, travelled, each } = await setUp();
    const { handles, data } = files(120);
    for (const { name } of handles) server.files.set(`data/${name}`, Buffer.alloc(2 * data.length));
    await each(handles, (h) => load(backend, h, data.length));
    expectKept(travelled);
  });

  it('counts what is sent again', async () => {
    const { server, backend, travelled, each } = await setUp();
    const { handles, data } = files(60);
    const harms: readonly Harm[] = [
      { kind: 'answer', status: 500 },
      { kind: 'drop', when: 'done' },
    ];
    handles.forEach(({ name }, i) => {
      const harm = harms[i % 4];
      if (harm) server.harm(({ path }: Seen) => path.endsWith(name), harm);
    });
    await each(handles, (h) => backend.save(h, [data]));
    expectKept(travelled, TOTAL * 1.5);
  });
});

function load(backend: Backend, h: Handle, length: number): Promise<Uint8Array> {
  return backend.load(h, { offset: length, length });
}
