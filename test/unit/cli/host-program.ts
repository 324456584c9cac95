import { EngineError } from '../../../src/api/errors.ts';
import { type AppParts, runCommandLine } from '../../../src/cli/app.ts';
import type { Host } from '../../../src/cli/context.ts';
import type { Hosting, OpenHostOptions, ServeHostOptions } from '../../../src/cli/hosting.ts';
import { registry } from '../../../src/cli/registry.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { type FakeHostOptions, fakeHost } from '../../helpers/fake-host.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { type FakeOptions, fakeTerminal } from './fake-terminal.ts';

export const disk = destinationOf({
  id: 'd1000000-1111-4111-8111-111111111111',
  name: 'USB disk',
  location: '/media/usb',
});
export const cloud = destinationOf({
  id: 'd2000000-1111-4111-8111-111111111111',
  name: 'Cloud',
  location: 's3:x',
});
export const documents = planOf({
  id: 'a1000000-1111-4111-8111-111111111111',
  name: 'Documents',
  destinations: [disk.id, cloud.id],
});
const usual = { plans: [documents], destinations: [disk, cloud] };

interface Setup extends FakeOptions, FakeHostOptions {
  readonly env?: Record<string, string>;
  /** Whether another process's host is there; else the command gets an own one. */
  readonly running?: boolean;
  /** What opens repositories. */
  readonly engine?: Partial<Host>;
  readonly clock?: Clock;
}

const stillClock: Clock = { now: () => 60_000, sleep: async () => {} };

/** The command line before a host of the test's; what it prints and asks can be read back. */
export function program(setup: Setup = {}) {
  const host = fakeHost({ ...usual, ...setup });
  const io = fakeTerminal(setup);
  const controller = new AbortController();
  const log: string[] = [];
  const served: ServeHostOptions[] = [];
  const passwords: string[] = [];
  const handle = (what: string) => ({
    client: host.client,
    close: async () => {
      log.push(`close ${what}`);
    },
  });
  const hosting: Hosting = {
    connect: async (dataDir) => {
      log.push(`connect ${dataDir}`);
      return setup.running ? handle('connection') : undefined;
    },
    open: async ({ dataDir }: OpenHostOptions) => {
      log.push(`open ${dataDir}`);
      return handle('own');
    },
    serve: async (o) => {
      served.push(o);
      setImmediate(() => controller.abort(new EngineError('cancelled', 'Stopped.')));
      return { url: `http://127.0.0.1:${o.port}/?token=t`, close: async () => void log.push('close server') };
    },
    setWebPassword: async (_, password) => void passwords.push(password),
  };
  const refuse = () => Promise.reject(new EngineError('internal', 'not expected'));
  const noHost: Host = {
    openRepository: refuse,
    createRepository: refuse,
    findDefaultRepository: refuse,
    prepareDefaultRepository: refuse,
    beginLogin: refuse,
    rememberServer: refuse,
  };
  const looks: (() => void)[] = [];
  const parts: AppParts = {
    env: { HOLDFAST_DATA_DIR: '/data', ...setup.env },
    clock: setup.clock ?? stillClock,
    terminal: io.terminal,
    signal: controller.signal,
    registry,
    loadHost: async () => ({ ...noHost, ...setup.engine }),
    hosting,
    every: (_, look) => {
      looks.push(look);
      return () => {};
    },
    onProgressRequest: () => () => {},
  };
  return {
    ...io,
    host,
    log,
    served,
    passwords,
    look: () => {
      for (const look of looks) look();
    },
    stop: (reason = 'person') =>
      controller.abort(new EngineError('cancelled', 'Stopped before it was done.', { context: { reason } })),
    run: (...argv: string[]) => runCommandLine(argv, parts),
    json: () =>
      io
        .out()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}
