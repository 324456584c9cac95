import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { Progress, Run } from '../../../src/api/model/run.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { ended, type FakeHostOptions, RECOVERY_KEY } from '../../helpers/fake-host.ts';
import { backupRunOf, planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { cloud, disk, documents, program } from './host-program.ts';

describe('a command finds its host', () => {
  it('that is running, and lets go of the connection', async () => {
    const p = program({ running: true });
    expect(await p.run('plan', 'list')).toBe(0);
    expect(p.log).toEqual(['connect /data', 'close connection']);
  });

  it('or makes an own one and closes it, whatever happens', async () => {
    const p = program();
    expect(await p.run('plan', 'show', 'nope', '--data-dir', '/other')).toBe(1);
    expect(p.log).toEqual(['connect /other', 'open /other', 'close own']);
  });

  it('in the folder of the platform where nothing names another', async () => {
    const p = program({ env: { HOLDFAST_DATA_DIR: '', HOME: '/home/ann', XDG_DATA_HOME: '/xdg' } });
    await p.run('plan');
    if (process.platform === 'linux') expect(p.log[0]).toBe('connect /xdg/holdfast');
  });
});

describe('plan', () => {
  it('is made, shown, changed and removed', async () => {
    const p = program();
    const make = ['plan', 'add', 'Photos', '--source', '/p', '--destination', 'cloud', '--hourly=6'];
    expect(await p.run(...make)).toBe(0);
    expect(p.out()).toMatch(/^Made the plan Photos \([0-9a-f]{8}\): every 6 hours\.\nStart it now/);
    expect(p.err()).toBe("/p can't be found right now.\n");
    expect(await p.run('plan', 'edit', 'photos', '--name', 'Pictures', '--keep', 'recent:30')).toBe(0);
    const q = [...p.host.plans.values()].find((plan) => plan.name === 'Pictures');
    expect(q).toMatchObject({
      sources: [{ kind: 'path', path: '/p' }],
      destinations: [cloud.id],
      schedule: { when: { kind: 'hourly', every: 6 } },
      retention: { kind: 'recent', days: 30 },
    });
    expect(await p.run('plan', 'remove', 'Pictures')).toBe(0);
    expect([...p.host.plans.keys()]).toEqual([documents.id]);
    expect(p.host.faults).toEqual([]);
  });

  it('is listed in a table, or as the contract has it', async () => {
    const p = program({ runs: [backupRunOf(documents.id, disk.id)] });
    expect(await p.run('plan')).toBe(0);
    expect(p.out()).toMatch(
      /^Name +ID +Schedule +Destinations +Last backup +Next\n-+\nDocuments +a1000000 +daily at 12:30 +USB disk, Cloud +.*\(1 minute ago\)/,
    );
    const q = program();
    expect(await q.run('plan', 'list', '--json')).toBe(0);
    expect(q.json()).toMatchObject([[{ plan: { id: documents.id }, nextAt: null }]]);
    const none = program({ plans: [] });
    await none.run('plan');
    expect(none.out()).toMatch(/no plan yet/);
  });

  it('is shown with all that it says', async () => {
    const p = program({
      plans: [
        planOf({
          ...documents,
          sources: [{ kind: 'command', fileName: 'db.sql', command: ['pg_dump', 'my db'] }],
          hooks: {
            before: [{ command: ['x'], timeoutSeconds: 5, required: false }],
            after: [],
            onFailure: [],
          },
        }),
      ],
    });
    expect(await p.run('plan', 'show', 'a1')).toBe(0);
    expect(p.out()).toContain('Sources       db.sql from the command: pg_dump "my db"\n');
    expect(p.out()).toContain('Hooks before  x (5 seconds at most, may fail)\n');
    expect(p.out()).toMatch(
      /Left out +caches, temporary-files, trash, system\n +folders with a CACHEDIR.TAG/,
    );
  });

  it('tells of each destination how fresh it is', async () => {
    const p = program({ runs: [backupRunOf(documents.id, disk.id)] });
    expect(await p.run('plan', 'status', 'documents')).toBe(0);
    expect(p.out()).toMatch(
      /^Documents\n {2}USB disk: last backup .+\(1 minute ago\)\n {2}Cloud: last backup never\n/,
    );
    expect(await p.run('plan', 'status', 'nope')).toBe(1);
  });

  it.each<[string[], RegExp]>([
    [['add', 'X', '--source', '/p'], /no destination/],
    [
      ['add', 'X', '--source', '/p', '--destination', 'Clout'],
      /no destination "Clout".\nDid you mean Cloud\?/,
    ],
    [['add', 'X', '--destination', 'd'], /fits more than one destination: d1000000 \(USB disk\), d2000000/],
    [['edit', 'Documents'], /Nothing is given/],
    [['edit', 'Documents', '--json'], /Nothing is given/],
    [['remove', 'Dokuments'], /Did you mean Documents/],
  ])('%j is refused with advice', async (argv, message) => {
    const p = program();
    expect(await p.run('plan', ...argv)).toBe(1);
    expect(p.err()).toMatch(message);
    expect([...p.host.plans.values()]).toEqual([documents]);
  });
});

const progress: Progress = {
  phase: 'Backing up',
  phaseCode: 'backing-up',
  filesDone: 3,
  filesTotal: 7,
  bytesDone: 1024,
  bytesTotal: 4096,
  bytesPerSecond: 512,
  secondsLeft: 6,
  current: [],
  problems: 0,
};
const running = (run: Run): HostEvent => ({
  kind: 'run',
  run: { ...run, state: 'running', startedAt: 53_000 },
});
const failing = (code: 'repository-missing' | 'io') => (run: Run) => [
  running(run),
  ended(run, {
    state: 'failed',
    error: new EngineError(code, 'It went wrong.', { hint: 'Mend it.' }).toWire(),
  }),
];

describe('plan run', () => {
  it('waits for the end of all runs and tells of each', async () => {
    const p = program({
      onRun: (run) => [
        running(run),
        { kind: 'progress', runId: run.id, progress },
        ended(run, {
          report: {
            kind: 'backup',
            snapshotId: 'ab'.repeat(32),
            filesNew: 1,
            filesChanged: 2,
            filesUnmodified: 3,
            bytesProcessed: 10,
            bytesAdded: 2048,
            bytesStored: 1024,
          },
        }),
      ],
    });
    expect(await p.run('plan', 'run', 'Documents')).toBe(0);
    expect(p.out()).toBe(
      ['USB disk', 'Cloud']
        .map(
          (d) =>
            `Documents → ${d}: done in 0:07: 1 new and 2 changed of 6 files, 2.000 KiB added (1.000 KiB stored), version abababab.\n`,
        )
        .join(''),
    );
    expect(p.host.listeners()).toBe(0);
    expect(p.host.faults).toEqual([]);
  });

  it('shows on a terminal how far it is', async () => {
    const screens: string[] = [];
    const p = program({
      stdoutIsTerminal: true,
      columns: 120,
      async *onRun(run) {
        yield running(run);
        yield { kind: 'progress', runId: run.id, progress };
        await new Promise((resolve) => setImmediate(resolve));
        p.look();
        screens.push(p.screen().join('\n'));
        yield ended(run);
      },
    });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'Cloud')).toBe(0);
    expect(screens).toEqual([
      'Documents → Cloud  [0:07] 25.00%  3 of 7 files, 1.000 KiB of 4.000 KiB, 512 B/s, 0:06 left',
    ]);
    expect(p.screen()).toEqual(['Documents → Cloud: done in 0:07.']);
  });

  it('tells it as events with --json, the ends last', async () => {
    const p = program({
      onRun: (run) => [running(run), { kind: 'progress', runId: run.id, progress }, ended(run)],
    });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'Cloud', '--json')).toBe(0);
    const [run] = [...p.host.runs.values()];
    expect(p.json()).toMatchObject([
      { kind: 'run', run: { id: run?.id, state: 'running' } },
      { kind: 'progress', runId: run?.id, progress: { filesDone: 3 } },
      { kind: 'run', run: { id: run?.id, state: 'succeeded' } },
    ]);
  });

  it.each<[number, FakeHostOptions['onRun'], RegExp]>([
    [1, failing('io'), /Documents → Cloud: failed after 0:07: It went wrong\.\nMend it\.\n/],
    [10, failing('repository-missing'), /It went wrong/],
    [
      3,
      (run) => [ended(run, { state: 'warnings', problemCount: 21 })],
      /done with warnings.*\n {2}\/x: No\.\n {2}and 20 problems more/,
    ],
    [130, (run) => [ended(run, { state: 'interrupted' })], /interrupted/],
    [130, (run) => [ended(run, { state: 'cancelled' })], /cancelled/],
  ])('ends with %i', async (code, onRun, message) => {
    const p = program({
      ...(onRun && { onRun }),
      problems: [{ path: '/x', error: new EngineError('permission', 'No.').toWire() }],
    });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'Cloud')).toBe(code);
    expect(p.err()).toMatch(message);
  });

  it('ends with the code of the first failure among several runs', async () => {
    const p = program({
      onRun: (run) => (run.destinationId === cloud.id ? failing('repository-missing')(run) : [ended(run)]),
    });
    expect(await p.run('plan', 'run', 'Documents')).toBe(10);
  });

  it('that a person stops cancels the runs and sees them end', async () => {
    const p = program({
      onRun: function* (run) {
        yield running(run);
        p.stop();
      },
    });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'Cloud')).toBe(130);
    expect([...p.host.runs.values()].map((run) => run.state)).toEqual(['cancelled']);
    expect(p.err()).toMatch(/Documents → Cloud: cancelled/);
  });

  it('whose reader is gone leaves the runs of a running host alone', async () => {
    const p = program({
      running: true,
      onRun: function* (run) {
        yield running(run);
        p.stop('output-closed');
      },
    });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'Cloud')).toBe(130);
    expect([...p.host.runs.values()].map((run) => run.state)).toEqual(['running']);
  });

  it('asks again where things stand after a lost connection', async () => {
    let slept = 0;
    const clock: Clock = {
      now: () => 0,
      sleep: async () => {
        slept++;
        // The end comes while nobody listens.
        for (const run of p.host.runs.values()) p.host.runs.set(run.id, { ...run, state: 'succeeded' });
      },
    };
    const p = program({
      clock,
      running: true,
      onRun: function* (run) {
        yield running(run);
        p.host.disconnect();
      },
    });
    expect(await p.run('plan', 'run', 'Documents')).toBe(0);
    expect([slept, p.host.subscriptions()]).toEqual([1, 2]);
  });

  it('goes on without us with --no-wait, but only where a host is running', async () => {
    const p = program({ running: true, onRun: () => [] });
    expect(await p.run('plan', 'run', 'Documents', '--destination', 'd1', '--no-wait')).toBe(0);
    expect(p.out()).toMatch(/^Started Documents → USB disk as run [0-9a-f]{8}\.\n$/);
    const q = program();
    expect(await q.run('plan', 'run', 'Documents', '--no-wait')).toBe(1);
    expect(q.err()).toMatch(/No host is running/);
    expect(q.host.runs.size).toBe(0);
  });
});

describe('destination', () => {
  const temp = useTemp();

  it('is added with a random password, and its recovery key is told once', async () => {
    const p = program();
    expect(await p.run('destination', 'add', 'Box', 'some/folder', '--warn-below', '1G')).toBe(0);
    expect(p.host.calls).toMatchObject([
      {
        input: {
          name: 'Box',
          location: path.resolve('some/folder'),
          password: undefined,
          warnBelowBytes: 1024 ** 3,
        },
      },
    ]);
    expect(p.out()).toContain(' 1 abandon     2 ability     3 able        4 about\n');
    expect(p.out()).toContain('12 accident\n');
    const q = program();
    await q.run('destination', 'add', 'Box', '/f', '--json');
    expect(q.json()).toMatchObject([{ recoveryKey: RECOVERY_KEY, destination: { name: 'Box' } }]);
  });

  it('takes a repository that is there with the password of the usual flags', async () => {
    const p = program({ repositories: { '/r': 'geheim' }, env: { HOLDFAST_PASSWORD: 'geheim' } });
    expect(await p.run('destination', 'add', 'Old', '/r')).toBe(0);
    expect(p.out()).not.toContain('recovery');
    const q = program({ repositories: { '/r': 'geheim' } });
    expect(await q.run('destination', 'add', 'Old', '/r')).toBe(12);
  });

  it('lets a person type that password three times', async () => {
    const p = program({ repositories: { '/r': 'c' }, stdinIsTerminal: true, typed: ['a\r', 'b\r', 'c\r'] });
    expect(await p.run('destination', 'add', 'Old', '/r')).toBe(0);
    expect(p.host.calls.map(({ input }) => (input as { password?: string }).password)).toEqual([
      'a',
      'b',
      'c',
    ]);
    const q = program({ stdinIsTerminal: true });
    expect(await q.run('destination', 'add', 'New', '/n')).toBe(0);
  });

  it('is only read where that is asked for, without a test that writes, and stays so when it is changed', async () => {
    const p = program({ repositories: { '/r': 'c' }, stdinIsTerminal: true, typed: ['c\r'] });
    expect(await p.run('destination', 'add', 'Old', '/r', '--read-only')).toBe(0);
    expect(p.host.calls).toMatchObject([{ input: { name: 'Old', readOnly: true, password: 'c' } }]);
    expect(await p.run('destination', 'edit', 'Old', '--warn-below', '1G')).toBe(0);
    expect(p.host.calls.at(-1)).toMatchObject({ input: { readOnly: true } });
  });

  it('never prints a password', async () => {
    const p = program({ repositories: { '/r': 'x' }, env: { HOLDFAST_PASSWORD: 'geheim' } });
    expect(await p.run('destination', 'add', 'Old', '/r', '--json')).toBe(12);
    expect(p.out() + p.err()).not.toContain('geheim');
    expect(await program().run('destination', 'add', 'O', '/r', '--insecure-no-password')).toBe(1);
  });

  it('is listed, changed, and forgotten when no plan uses it', async () => {
    const p = program({ plans: [] });
    expect(await p.run('destination', 'edit', 'Cloud', '--name', 'Sky', '--upload-limit', '1M')).toBe(0);
    expect(p.host.destinations.get(cloud.id)).toMatchObject({
      name: 'Sky',
      uploadLimit: 1024 ** 2,
      location: 's3:x',
    });
    expect(await p.run('destination')).toBe(0);
    expect(p.out()).toMatch(/\nSky +d2000000 +s3:x +never +reachable\n/);
    expect(await p.run('destination', 'remove', 'Sky')).toBe(0);
    expect([...p.host.destinations.keys()]).toEqual([disk.id]);
    const used = program();
    expect(await used.run('destination', 'remove', 'Cloud')).toBe(1);
    expect(used.err()).toBe('“Documents” uses it.\n');
  });

  it('is tried out by name or by location', async () => {
    const p = program({ repositories: { '/media/usb': 'x' }, env: { HOLDFAST_PASSWORD: 'y' } });
    expect(await p.run('destination', 'test', 'USB disk')).toBe(12);
    expect(p.out()).toMatch(/There is a repository/);
    expect(p.err()).toBe('That is not the password.\n');
    const q = program();
    expect(await q.run('destination', 'test', '/free')).toBe(0);
    expect(q.out()).toMatch(/no repository yet/);
  });

  it('is checked and cleaned up as runs', async () => {
    const p = program();
    expect(await p.run('destination', 'check', 'USB disk', '--percent', '100%')).toBe(0);
    expect(await p.run('destination', 'clean-up', 'USB disk')).toBe(0);
    expect([...p.host.runs.values()].map((run) => run.task)).toEqual([
      { kind: 'check', destinationId: disk.id, percent: 100 },
      { kind: 'cleanup', destinationId: disk.id },
    ]);
    expect(p.out()).toBe('check of USB disk: done in 0:07.\nclean-up of USB disk: done in 0:07.\n');
    expect(await p.run('destination', 'check', 'USB disk', '--percent', '101')).toBe(1);
  });

  it('has a kit in a new file of its own, for this person only', async () => {
    const p = program();
    const file = path.join(temp.dir(), 'kit.html');
    expect(await p.run('destination', 'kit', 'Cloud', '--output', file)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('<h1>Cloud</h1>');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await p.run('destination', 'kit', 'USB disk', '--output', file)).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('<h1>Cloud</h1>');
  });
});

describe('runs', () => {
  const first = backupRunOf(documents.id, disk.id, { id: 'b1000000-1111-4111-8111-111111111111' });
  const second = backupRunOf(documents.id, disk.id, {
    id: 'b2000000-1111-4111-8111-111111111111',
    state: 'failed',
    attempt: 2,
    error: new EngineError('io', 'It broke\x1b[2J.').toWire(),
    problemCount: 3,
  });
  const log = [{ at: 0, level: 'warning' as const, text: 'slow' }];
  const problems = [{ path: '/x\x1b[2J', error: new EngineError('permission', 'No.').toWire() }];
  const setup = { runs: [first, second], log, problems };

  it('are listed newest first, and filtered', async () => {
    const p = program(setup);
    expect(await p.run('runs')).toBe(0);
    expect(p.out()).toMatch(/\nb2000000 .* Documents → USB disk +failed .*\nb1000000 .* done /);
    const argv = [
      '--kind',
      'backup,check',
      '--state',
      'failed',
      '--plan',
      'documents',
      '--destination',
      'cloud',
    ];
    expect(await p.run('runs', 'list', ...argv, '--limit', '7')).toBe(0);
    expect(p.host.calls.at(-1)?.input).toEqual({
      kinds: ['backup', 'check'],
      states: ['failed'],
      planId: documents.id,
      destinationId: cloud.id,
      limit: 7,
    });
    expect(await p.run('runs', 'list', '--kind', 'nap')).toBe(1);
  });

  it('are shown with problems and log, and nothing of them reaches the terminal raw', async () => {
    const p = program(setup);
    expect(await p.run('runs', 'show', 'latest', '--log')).toBe(0);
    expect(p.out()).toMatch(/Started by +schedule, attempt 2\n/);
    expect(p.out()).toMatch(/: No\.\n {2}and 2 more\n.* warning: slow\n$/);
    expect(p.out()).not.toContain('\x1b');
    const q = program(setup);
    await q.run('runs', 'show', 'b2', '--json');
    expect(q.json()).toMatchObject([{ id: second.id, state: 'failed', log, problems }]);
  });

  it('are named by the beginning of an id', async () => {
    const p = program(setup);
    expect(await p.run('runs', 'show', 'b')).toBe(1);
    expect(p.err()).toMatch(/"b" fits more than one run/);
    expect(await p.run('runs', 'show', 'c')).toBe(1);
    expect(await p.run('runs', 'show', first.id.toUpperCase())).toBe(0);
  });

  it('are stopped and done again', async () => {
    const under = { ...first, state: 'running' as const };
    const p = program({ runs: [under], running: true });
    expect(await p.run('runs', 'cancel', 'b1')).toBe(0);
    expect(p.host.runs.get(first.id)?.state).toBe('cancelled');
    expect(await p.run('runs', 'again', 'b1')).toBe(0);
    expect([...p.host.runs.values()].at(-1)).toMatchObject({ task: first.task, state: 'succeeded' });
  });
});

describe('status', () => {
  it('says what is wrong and what to do', async () => {
    const p = program({
      status: {
        verdict: {
          state: 'attention',
          reasons: [
            {
              level: 'problem',
              code: 'x',
              sentence: 'No backup.',
              fix: { kind: 'run-plan', planId: documents.id },
            },
            {
              level: 'advice',
              code: 'y',
              sentence: 'Old check.',
              fix: { kind: 'check-destination', destinationId: disk.id },
            },
          ],
        },
        pause: { until: null },
        lastBackupAt: 0,
      },
    });
    expect(await p.run('status')).toBe(0);
    expect(p.out()).toMatch(
      /^Something needs your attention\.\n! No backup\.\n {4}holdfast plan run Documents\n- Old check\.\n {4}holdfast destination check d1000000\n! Plans don't start by themselves now: .*\n {2}Last backup .* \(1 minute ago\)\n {2}Next backup +none planned\n {2}Paused +until resumed; `holdfast resume` ends it\n$/,
    );
  });

  it('is the contract’s with --json', async () => {
    const p = program();
    expect(await p.run('status', '--json')).toBe(0);
    expect(p.json()).toMatchObject([{ verdict: { state: 'none' }, hostname: 'box' }]);
  });
});

describe('config', () => {
  const temp = useTemp();

  it('is printed, or written to a new file', async () => {
    const p = program();
    expect(await p.run('config', 'export')).toBe(0);
    expect(p.out()).toBe('version: 1\n');
    const file = path.join(temp.dir(), 'c.yaml');
    expect(await p.run('config', 'export', '--output', file)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('version: 1\n');
  });

  it('is taken over from a file or stdin, with the passwords of new destinations', async () => {
    const p = program({ typed: ['version: 1\n', 'plans: []\n'] });
    const file = path.join(temp.dir(), 'disk.txt');
    writeFileSync(file, 'geheim\n');
    const login = path.join(temp.dir(), 'login.json');
    writeFileSync(login, '{"username": "ann"}');
    expect(
      await p.run(
        'config',
        'import',
        '-',
        '--destination-login-file',
        `server=${login}`,
        '--destination-password-file',
        `a=b=${file}`,
      ),
    ).toBe(0);
    expect(p.host.imported).toEqual([
      {
        logins: { server: { username: 'ann' } },
        yaml: 'version: 1\nplans: []\n',
        passwords: { 'a=b': 'geheim' },
      },
    ]);
    expect(p.out()).toBe('Added 2 items, changed 1 item.\n');
    expect(await p.run('config', 'import', path.join(temp.dir(), 'none.yaml'))).toBe(1);
    expect(await p.run('config', 'import', file, '--destination-password-file', 'a=')).toBe(1);
    expect(p.host.imported).toHaveLength(1);
  });
});

describe('serve', () => {
  const temp = useTemp();

  it('prints where it is, stays until it is stopped, and closes', async () => {
    const p = program();
    expect(await p.run('serve', '--port', '0', '--host', '127.0.0.1')).toBe(0);
    expect(p.out()).toBe('Holdfast is ready at http://127.0.0.1:0/?token=t\n');
    expect(p.log).toEqual(['close server']);
    expect(p.served).toMatchObject([{ host: '127.0.0.1', port: 0, dataDir: '/data', password: undefined }]);
  });

  it('takes the password for the browser from a file, or asks for it twice and ends', async () => {
    const file = path.join(temp.dir(), 'web.txt');
    writeFileSync(file, 'long enough\n');
    const p = program({ env: { HOLDFAST_WEB_PASSWORD_FILE: file } });
    expect(await p.run('serve')).toBe(0);
    expect(p.served).toMatchObject([{ port: 8484, password: 'long enough' }]);
    const q = program({ stdinIsTerminal: true, typed: ['long enough\r', 'long enough\r'] });
    expect(await q.run('serve', '--set-password')).toBe(0);
    expect([q.passwords, q.served]).toEqual([['long enough'], []]);
    const short = program({ stdinIsTerminal: true, typed: ['short\r', 'short\r'] });
    expect(await short.run('serve', '--set-password')).toBe(1);
    expect(short.passwords).toEqual([]);
    expect(await program().run('serve', '--port', '70000')).toBe(1);
  });

  it('opens the browser by a page that only this person can read, and that goes with it', async () => {
    const p = program({ env: { HOLDFAST_DATA_DIR: temp.dir() } });
    expect(await p.run('serve', '--open')).toBe(0);
    expect(existsSync(path.join(temp.dir(), 'open.html'))).toBe(false);
  });
});
