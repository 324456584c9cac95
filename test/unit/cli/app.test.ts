import { describe, expect, it } from 'vitest';
import { EngineError, ERROR_CODES } from '../../../src/api/errors.ts';
import { type AppParts, runCommandLine } from '../../../src/cli/app.ts';
import { defineCommand, type Registry } from '../../../src/cli/command.ts';
import type { Host, HostOpenOptions } from '../../../src/cli/context.ts';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import type { Hosting } from '../../../src/cli/hosting.ts';
import { flag, text } from '../../../src/cli/options.ts';
import { snapshotFilterOptions } from '../../../src/cli/snapshot-flags.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type FakeOptions, fakeTerminal } from './fake-terminal.ts';

describe('exit codes', () => {
  it('are restic’s', () => {
    const codes = Object.fromEntries(
      ERROR_CODES.map((code) => [code, exitCodeOf(new EngineError(code, ''))]),
    );
    const special = Object.entries(codes).filter(([, exit]) => exit !== 1);
    expect(Object.fromEntries(special)).toEqual({
      'repository-missing': 10,
      locked: 11,
      'wrong-password': 12,
      'source-unreadable': 3,
      cancelled: 130,
    });
    expect(exitCodeOf(new Error('x'))).toBe(1);
    expect(exitCodeOf('x')).toBe(1);
  });
});

interface Setup extends FakeOptions {
  readonly env?: Record<string, string>;
  readonly host?: Partial<Host>;
}

/** A program with commands whose only work is to tell what they were given, or to fail. */
function program(setup: Setup = {}) {
  const io = fakeTerminal(setup);
  const controller = new AbortController();
  const told: unknown[] = [];
  const tell = defineCommand({
    usage: '[flags] [operand …]',
    description: 'Tells what it is given.',
    options: {
      ...snapshotFilterOptions(),
      long: flag('-l, --long', 'be long'),
      sort: text('--sort by', 'order', 'name'),
    },
    operands: { most: 2 },
    async run({ globals }, operands, { long, sort, host }) {
      const flags = {
        long: long satisfies boolean,
        sort: sort satisfies string,
        host: host satisfies readonly string[],
      };
      told.push({ operands, ...flags, repo: globals.access.repo });
    },
  });
  const fail = defineCommand({
    usage: 'code',
    description: 'Fails.',
    options: {},
    operands: { least: 1 },
    async run(_, [code]) {
      if (code === 'stop') controller.abort(new EngineError('cancelled', 'Stopped.'));
      if (code === 'stop') return;
      if (code === 'abort') controller.abort(new EngineError('cancelled', 'Stopped.'));
      if (code === 'abort') throw new DOMException('The operation was aborted', 'AbortError');
      if (code === 'fault') throw new TypeError('x is not a function');
      throw new EngineError('locked', 'It is locked.', { hint: 'Unlock it.' });
    },
  });
  const open = defineCommand({
    usage: '',
    description: 'Opens.',
    options: {},
    async run(context) {
      await context.openRepository();
    },
  });
  const registry: Registry = {
    tell: { kind: 'command', summary: 'Tell', aliases: ['say'], load: async () => ({ command: tell }) },
    open: { kind: 'command', summary: 'Open', load: async () => ({ command: open }) },
    secret: { kind: 'command', summary: 'Secret', hidden: true, load: async () => ({ command: tell }) },
    many: {
      kind: 'group',
      summary: 'Many',
      hidden: true,
      usual: 'tell',
      entries: { tell: { kind: 'command', summary: 'Tell', load: async () => ({ command: tell }) } },
    },
    key: {
      kind: 'group',
      summary: 'Keys',
      entries: { fail: { kind: 'command', summary: 'Fail', load: async () => ({ command: fail }) } },
    },
  };
  const parts: AppParts = {
    env: setup.env ?? {},
    clock: systemClock,
    terminal: io.terminal,
    signal: controller.signal,
    registry,
    loadHost: async () => ({ ...noHost, ...setup.host }),
    hosting: noHosting,
    every: () => () => {},
    onProgressRequest: () => () => {},
  };
  return { ...io, told, run: (...argv: string[]) => runCommandLine(argv, parts) };
}

const refuse = () => Promise.reject(new EngineError('internal', 'not expected'));
const noHosting: Hosting = { connect: refuse, open: refuse, serve: refuse, setWebPassword: refuse };
const noHost: Host = {
  openRepository: refuse,
  createRepository: refuse,
  findDefaultRepository: async () => undefined,
  prepareDefaultRepository: refuse,
  beginLogin: refuse,
  rememberServer: refuse,
};

describe('a command line', () => {
  it('reaches its command with typed values, wherever the flags stand', async () => {
    const p = program({ env: { RESTIC_REPOSITORY: 'env' } });
    expect(await p.run('-r', 'place', 'tell', 'a', '--long', '-H', 'h')).toBe(0);
    expect(await p.run('--sort=size', 'say', 'b', '--', '-x')).toBe(0);
    expect(p.told).toEqual([
      { operands: ['a'], long: true, sort: 'name', host: ['h'], repo: 'place' },
      { operands: ['b', '-x'], long: false, sort: 'size', host: [], repo: 'env' },
    ]);
  });

  it('ends with the code of its error, and says what to do', async () => {
    const p = program();
    expect(await p.run('key', 'fail', 'x')).toBe(11);
    expect(p.err()).toBe('It is locked.\nUnlock it.\n');
  });

  it('says it in JSON', async () => {
    const p = program();
    expect(await p.run('--json', 'key', 'fail', 'x')).toBe(11);
    expect(JSON.parse(p.err())).toEqual({
      message_type: 'exit_error',
      code: 11,
      message: 'It is locked.\nUnlock it.',
    });
    const q = program();
    expect(await q.run('tell', '--json', '--nope')).toBe(1);
    expect(JSON.parse(q.err())).toMatchObject({
      code: 1,
      message: expect.stringContaining('unknown flag: --nope'),
    });
  });

  it('that is stopped ends with 130, whether the command noticed or not', async () => {
    for (const how of ['stop', 'abort']) {
      const p = program();
      expect(await p.run('key', 'fail', how)).toBe(130);
      expect(p.err()).toBe('Stopped.\n');
    }
  });

  it('that meets a fault of ours says so, and where on request', async () => {
    const p = program();
    expect(await p.run('key', 'fail', 'fault')).toBe(1);
    expect(p.err()).toMatch(/^x is not a function\n.*HOLDFAST_DEBUG=1/);
    const q = program({ env: { HOLDFAST_DEBUG: '1' } });
    await q.run('key', 'fail', 'fault');
    expect(q.err()).toContain('app.test.ts');
  });

  it.each<[string[], RegExp]>([
    [['tel'], /no command "tel".*mean tell\?/s],
    [['xyzzy'], /`holdfast help` lists/],
    [['key', 'xyzzy'], /no command "key xyzzy".*`holdfast help key` lists/s],
    [['help', 'xyzzy'], /no command "xyzzy"/],
    [['--nope'], /unknown flag: --nope/],
    [['tell', '--nope'], /unknown flag: --nope\n`holdfast help tell`/],
    [['tell', 'a', 'b', 'c'], /too many operands/],
    [['open', 'a'], /takes flags only, but was given "a"/],
    [['key', 'fail'], /`key fail` needs an operand/],
    [['tell', '-q', '-v'], /contradict/],
  ])('%j is refused with advice', async (argv, message) => {
    const p = program();
    expect(await p.run(...argv)).toBe(1);
    expect(p.err()).toMatch(message);
    expect(p.told).toEqual([]);
  });
});

describe('help', () => {
  it('lists the commands', async () => {
    for (const argv of [[], ['help'], ['--help'], ['-h']]) {
      const p = program();
      expect(await p.run(...argv)).toBe(0);
      expect(p.out()).toMatch(/Commands:\n {2}tell +Tell\n {2}open +Open\n {2}key +Keys\n\nFlags:/);
    }
  });

  it('of a command shows its flags, and runs nothing', async () => {
    for (const argv of [
      ['help', 'tell'],
      ['tell', '--help'],
      ['tell', 'a', '-h'],
    ]) {
      const p = program();
      expect(await p.run(...argv)).toBe(0);
      expect(p.out()).toContain('holdfast tell [flags] [operand …]');
      expect(p.out()).toMatch(/ {2}-l, --long +be long\n/);
      expect(p.out()).toMatch(/ {6}--sort by +order \(default: name\)\n/);
      expect(p.told).toEqual([]);
    }
  });

  it('of a group with a usual word is asked for; else the word is meant', async () => {
    const p = program();
    expect(await p.run('many', '--quiet')).toBe(0);
    expect(p.told).toMatchObject([{ operands: [] }]);
    expect(await p.run('many', '--help')).toBe(0);
    expect(p.told).toHaveLength(1);
    expect(p.out()).toMatch(/"holdfast many" alone is "holdfast many tell"/);
  });

  it('of a group lists what is in it', async () => {
    for (const argv of [['help', 'key'], ['key'], ['key', '--help']]) {
      const p = program();
      expect(await p.run(...argv)).toBe(0);
      expect(p.out()).toMatch(/holdfast key command\n\nCommands:\n {2}fail +Fail/);
    }
  });
});

describe('opening a repository', () => {
  const opens = (right: string) => {
    const asked: string[] = [];
    const openRepository = async (o: HostOpenOptions) => {
      asked.push(`${o.location} ${await o.password()}`);
      if (asked.at(-1)?.endsWith(` ${right}`)) throw new EngineError('cancelled', 'opened');
      throw new EngineError('wrong-password', 'That is not the password.');
    };
    return { asked, host: { openRepository } };
  };

  it('lets a person type three times', async () => {
    const { asked, host } = opens('c');
    const p = program({ host, stdinIsTerminal: true, typed: ['a\r', 'b\r', 'c\r'] });
    expect(await p.run('open', '-r', 'x')).toBe(130);
    expect(asked).toEqual(['x a', 'x b', 'x c']);
  });

  it('tries a password that nobody typed only once', async () => {
    const { asked, host } = opens('c');
    const p = program({ host, stdinIsTerminal: true, env: { HOLDFAST_PASSWORD: 'a' } });
    expect(await p.run('open', '-r', 'x')).toBe(12);
    expect(asked).toEqual(['x a']);
  });

  it('takes the default repository where none is named', async () => {
    const { asked, host } = opens('d');
    const findDefaultRepository = async () => ({ location: 'own', password: 'd' });
    expect(await program({ host: { ...host, findDefaultRepository } }).run('open')).toBe(130);
    expect(asked).toEqual(['own d']);
    const none = program({ host });
    expect(await none.run('open')).toBe(1);
    expect(none.err()).toContain('No repository is given.');
  });
});
