/** The life of many files in the Drive of tests while much goes wrong: by a seed, and in a time that only sleeps move. */
import { createHash } from 'node:crypto';
import type { FileInfo, Handle } from '../../src/backend/backend.ts';
import { openDrive } from '../../src/backend/gdrive/gdrive.ts';
import { retry } from '../../src/backend/retry.ts';
import type { FileType } from '../../src/format/types.ts';
import type { Clock } from '../../src/util/clock.ts';
import { forEachLimit } from '../../src/util/semaphore.ts';
import { DriveServer, type Fault, refusing } from './drive.ts';

/** What Google allows. */
const QUOTA = { creationsInTenSeconds: 30, queriesInAMinute: 12_000 } as const;

const FAULTS: readonly Fault[] = [
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 503 },
  refusing('rateLimitExceeded'),
  refusing('userRateLimitExceeded'),
  refusing('rateLimitExceeded', 429, { 'retry-after': '7' }),
  refusing('backendError', 500),
  { kind: 'drop' },
  { kind: 'lost' },
  { kind: 'part' },
  { kind: 'forget' },
  { kind: 'spoil' },
  { kind: 'expire' },
];

export interface Outcome {
  /** Paths in the server, with how many files each stands for. */
  readonly stored: ReadonlyMap<string, number>;
  readonly expected: ReadonlySet<string>;
  /** Files whose bytes were not what they must be, and lists that lied. */
  readonly wrong: readonly string[];
  readonly seen: DriveServer['seen'];
  readonly allowed: typeof QUOTA;
  readonly faults: number;
}

function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Turns of the event loop without a call under way, after which everybody is taken to sleep. */
const QUIET_TURNS = 4;

/** Time stands still while calls are under way, and jumps to the next sleeper's when there are none. */
export class QuietClock implements Clock {
  readonly #timers: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #isBusy: () => boolean;
  #time = Date.UTC(2026, 0, 1);
  #running = false;

  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  now(): number {
    return this.#time;
  }

  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timers.push({ at: this.#time + ms, wake: resolve });
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let quiet = 0; this.#timers.length > 0; ) {
      await new Promise(setImmediate);
      quiet = this.#isBusy() ? 0 : quiet + 1;
      if (quiet < QUIET_TURNS) continue;
      quiet = 0;
      this.#timers.sort((a, b) => a.at - b.at);
      const first = this.#timers.shift();
      this.#time = Math.max(this.#time, first?.at ?? 0);
      first?.wake();
    }
    this.#running = false;
  }
}

interface Thing {
  readonly h: Handle;
  readonly bytes: Buffer;
}

/** One of 400 is too large for one call, and one of 1000 for one chunk. */
function thingOf(seed: number, i: number, random: () => number): Thing {
  const size = i % 1000 === 7 ? 17_000_000 : i % 400 === 3 ? 4_500_000 : 20 + Math.floor(random() * 2000);
  const bytes = Buffer.alloc(size, `${seed} ${i} `);
  const types: readonly FileType[] = ['pack', 'pack', 'pack', 'index', 'snapshot', 'lock'];
  const type = types[i % types.length] ?? 'pack';
  return { h: { type, name: createHash('sha256').update(bytes).digest('hex') }, bytes };
}

const pathOf = ({ type, name }: Handle): string => {
  const folder = { pack: `data/${name.slice(0, 2)}`, index: 'index', snapshot: 'snapshots', lock: 'locks' };
  return `repo/${folder[type as keyof typeof folder]}/${name}`;
};

/** Saves `count` files, saves some again, removes some, and reads back all the others. */
export async function driveStory(seed: number, count: number): Promise<Outcome> {
  const random = chanceOf(seed);
  const clock = new QuietClock(() => server.underWay > 0);
  await using server: DriveServer = await DriveServer.start({ now: () => clock.now(), quota: QUOTA });
  let faults = 0;
  server.chance = () => {
    if (random() > 0.03) return undefined;
    faults++;
    return FAULTS[Math.floor(random() * FAULTS.length)];
  };
  const login = { ...server.login.grant(), clientSecret: server.login.clientSecret };
  const o = { options: server.options, login: { get: async () => login, put: async () => undefined } };
  const patience = { clock, random, maxElapsedMs: Number.POSITIVE_INFINITY };
  const backend = retry(patience)(await openDrive('repo', o, { clock, random }));
  const all = Array.from({ length: count }, (_, i) => thingOf(seed, i, random));
  const again = all.filter((_, i) => i % 20 === 0);
  const [gone, kept] = [all.filter((_, i) => i % 6 === 1), all.filter((_, i) => i % 6 !== 1)];
  await forEachLimit(all, 8, ({ h, bytes }) => backend.save(h, [bytes]));
  await forEachLimit(again, 8, ({ h, bytes }) => backend.save(h, [bytes]));
  await forEachLimit(gone, 8, ({ h }) => backend.remove(h));
  const wrong: string[] = [];
  await forEachLimit(kept, 8, async ({ h, bytes }) => {
    const read = Buffer.from(await backend.load(h));
    if (!read.equals(bytes)) wrong.push(`${pathOf(h)}: other bytes`);
  });
  for (const type of ['pack', 'index', 'snapshot', 'lock'] as const) {
    const listed = await collect(backend.list(type));
    const expected = kept.filter(({ h }) => h.type === type);
    const sizes = new Map(listed.map(({ name, size }) => [name, size]));
    if (listed.length !== expected.length) wrong.push(`${type}: ${listed.length} listed`);
    for (const { h, bytes } of expected) {
      if (sizes.get(h.name) !== bytes.length) wrong.push(`${pathOf(h)}: listed with ${sizes.get(h.name)}`);
    }
  }
  await backend.close();
  const paths = Map.groupBy(server.space.pathsOf(), (path) => path);
  return {
    stored: new Map([...paths].map(([path, files]) => [path, files.length])),
    expected: new Set(kept.map(({ h }) => pathOf(h))),
    wrong,
    seen: server.seen,
    allowed: QUOTA,
    faults,
  };
}

async function collect(files: AsyncIterable<FileInfo>): Promise<readonly FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const file of files) all.push(file);
  return all;
}
