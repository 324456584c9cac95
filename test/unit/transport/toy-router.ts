/** A host that is none: a few calls of the contract, whose behaviour the input names, and a probe of what they saw. */
import { implement } from '@orpc/server';
import { contract } from '../../../src/api/contract.ts';
import { EngineError, type ErrorCode } from '../../../src/api/errors.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { Preview } from '../../../src/api/model/plan.ts';
import { EventHub } from '../../../src/transport/latest.ts';

export interface Toy {
  readonly router: ReturnType<typeof routerOf>;
  readonly probe: Probe;
  readonly hub: EventHub;
}

/** What the handlers saw. */
export class Probe {
  /** Resolves when a hanging call's signal aborts. */
  readonly aborted = Promise.withResolvers<void>();
  /** Resolves when a hanging call has begun. */
  readonly begun = Promise.withResolvers<void>();
  /** Resolves when a stream's generator was left. */
  readonly left = Promise.withResolvers<void>();
  calls = 0;
  streamed = 0;
  faults: string[] = [];
  readonly onFault = (error: unknown, path: readonly string[]): void => {
    this.faults.push(`${path.join('.')}: ${error instanceof Error ? error.message : String(error)}`);
  };
}

export function toy(): Toy {
  const probe = new Probe();
  const hub = new EventHub();
  return { router: routerOf(probe, hub), probe, hub };
}

export const SECRET = 'hunter2 of /home/ann';

function routerOf(probe: Probe, hub: EventHub) {
  const os = implement(contract);
  return {
    system: {
      events: os.system.events.handler(async function* ({ signal }) {
        probe.begun.resolve();
        for await (const event of hub.subscribe(signal)) yield event;
      }),
    },
    destinations: {
      test: os.destinations.test.handler(async ({ input, signal }) => {
        probe.calls++;
        await behave(input.location, probe, signal);
        const answer = { repository: true, writable: false, space: null, problem: null };
        // biome-ignore lint/suspicious/noExplicitAny: an answer that breaks the contract on purpose
        return input.location === 'bad answer' ? ({ ...answer, writable: SECRET } as any) : answer;
      }),
    },
    plans: {
      testRule: os.plans.testRule.handler(({ input }) => ({
        path: input.path,
        included: input.rules.excludeCaches,
        rule: input.rules.lines[0] ?? null,
        origin: 'line' as const,
        preset: null,
        matched: null,
      })),
      preview: os.plans.preview.handler(async function* ({ input, signal }) {
        const source = input.sources[0];
        try {
          yield* previews(source?.kind === 'path' ? source.path : '', probe, signal);
        } finally {
          probe.left.resolve();
        }
      }),
    },
    versions: {
      list: os.versions.list.handler(() => [bigVersion()]),
    },
    config: {
      import: os.config.import.handler(({ input }) => ({
        created: input.yaml.length,
        updated: Object.keys(input.passwords).length,
      })),
    },
  };
}

async function behave(location: string, probe: Probe, signal: AbortSignal | undefined): Promise<void> {
  if (location === 'fault') throw new Error(SECRET);
  if (location === 'wrapped fault') {
    throw new EngineError('internal', SECRET, {}, { cause: new Error(SECRET) });
  }
  if (location.startsWith('error ')) throw engineErrorOf(location.slice(6) as ErrorCode);
  if (location === 'hang') await hang(probe, signal);
}

export function engineErrorOf(code: ErrorCode): EngineError {
  return new EngineError(code, `It is ${code}: “ü”.`, {
    transient: code.length % 2 === 0,
    hint: 'Do something.',
    context: { path: '/a\u0000b', count: 3, sure: false },
  });
}

function hang(probe: Probe, signal: AbortSignal | undefined): Promise<void> {
  probe.begun.resolve();
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => {
      probe.aborted.resolve();
      reject(signal.reason);
    });
  });
}

export function previewOf(files: number): Preview {
  return {
    done: false,
    files,
    bytes: files * 10,
    excluded: 0,
    excludedBytes: 0,
    excludedItems: [],
    problems: [],
  };
}

/** '/count/7' gives seven; '/endless' never ends; '/quiet' gives one and hangs; '/fails' fails after one. */
async function* previews(
  path: string,
  probe: Probe,
  signal: AbortSignal | undefined,
): AsyncGenerator<Preview> {
  const count = path.startsWith('/count/') ? Number(path.slice(7)) : path === '/endless' ? Infinity : 1;
  for (let i = 0; i < count && !signal?.aborted; i++) {
    probe.streamed++;
    yield previewOf(i);
    if (i % 50 === 49) await new Promise(setImmediate);
  }
  if (path === '/fails') throw engineErrorOf('source-missing');
  if (path === '/faults') throw new Error(SECRET);
  if (path === '/quiet') await hang(probe, signal);
}

/** Five million bytes of paths. */
export function bigVersion() {
  return {
    id: 'ab'.repeat(32),
    at: 1,
    hostname: 'h',
    username: 'u',
    paths: Array.from({ length: 5000 }, (_, i) => `${i}`.padEnd(1000, '/x')),
    tags: [],
    planId: null,
    planName: null,
    files: null,
    bytes: 2 ** 52,
    addedBytes: 0,
  };
}

export function progressEvent(runId: string, filesDone: number): HostEvent {
  return {
    kind: 'progress',
    runId,
    progress: {
      phase: 'reading',
      phaseCode: 'reading-data',
      filesDone,
      filesTotal: null,
      bytesDone: 0,
      bytesTotal: null,
      bytesPerSecond: 0,
      secondsLeft: null,
      current: [],
      problems: 0,
    },
  };
}

export const logEvent = (runId: string, text: string): HostEvent => ({
  kind: 'log',
  runId,
  line: { at: 0, level: 'info', text },
});
