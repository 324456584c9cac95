import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import * as fs from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TEST_PASSWORD } from '../helpers/cli.ts';
import { ENTRY } from '../helpers/holdfast.ts';
import { expectCode, type RunResult, run } from '../helpers/process.ts';
import { Temp } from '../helpers/temp.ts';
import { findProgram } from '../helpers/tools.ts';
import { type Link, openLink } from './link.ts';
import { median } from './report.ts';

/**
 * Holdfast beside restic and rclone over a line with a delay (link.ts), against the same servers: `npm run bench:network --
 * [--delays 20,50] [--mbits 100] [--mib 256] [--rounds 3] [--kinds s3,sftp,rest] [--tools holdfast,restic,rclone] [--write]`. As root. Rounds take turns and every
 * round counts. It measures and never judges. rclone copies the bare file: what the line gives to a program that does nothing else.
 */
const { values: flags } = parseArgs({
  options: {
    delays: { type: 'string', default: '20,50' },
    mbits: { type: 'string', default: '100' },
    mib: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: 's3,sftp,rest' },
    tools: { type: 'string', default: 'holdfast,restic,rclone' },
    write: { type: 'boolean', default: false },
  },
});

const KINDS = ['s3', 'sftp', 'rest'] as const;
type Kind = (typeof KINDS)[number];
const ALL_TOOLS = ['holdfast', 'restic', 'rclone'] as const;
type ToolName = (typeof ALL_TOOLS)[number];
const TOOLS = ALL_TOOLS.filter((name) => flags.tools.split(',').includes(name));
type Way = 'up' | 'down';

const PORT = 9000;
const SECRET = { access: 'bench', secret: 'bench-secret' } as const;
const DOCUMENT = resolve(import.meta.dirname, '../../docs/benchmarks.md');
const HEADING = '## Over a network';

/** A server in the line's far namespace, and how each program is told of it. */
interface Service extends Disposable {
  readonly env: Readonly<Record<string, string>>;
  /** As restic and Holdfast spell it. */
  repository(name: string): string;
  /** More arguments that restic needs. */
  readonly resticArgs: readonly string[];
  readonly holdfastArgs: readonly string[];
  /** rclone's spelling of a folder; undefined where it has no such storage. */
  rclone(name: string): string | undefined;
}

function start(link: Link, command: string, args: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', link.server, command, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function answering(link: Link): Promise<void> {
  const probe = `require('net').connect(${PORT},'${link.address}').on('connect',()=>process.exit(0)).on('error',()=>process.exit(1))`;
  while ((await inClient(link, process.execPath, ['-e', probe], {})).code !== 0);
}

function inClient(
  link: Link,
  command: string,
  args: readonly string[],
  o: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly measureMemory?: boolean;
  },
): Promise<RunResult> {
  const env = { PATH: process.env.PATH ?? '', ...o.env };
  return run('ip', ['netns', 'exec', link.client, command, ...args], { ...o, env });
}

async function s3(link: Link, folder: string): Promise<Service> {
  const program = findProgram('versitygw');
  if (program === undefined) throw new Error('versitygw is not here: scripts/ci-tools builds it');
  const data = join(folder, 's3');
  fs.mkdirSync(join(data, 'bench'), { recursive: true });
  const server = start(link, program, [
    '--quiet',
    '--access',
    SECRET.access,
    '--secret',
    SECRET.secret,
    '--port',
    `${link.address}:${PORT}`,
    'posix',
    data,
  ]);
  await answering(link);
  const endpoint = `http://${link.address}:${PORT}`;
  return {
    env: {
      AWS_ACCESS_KEY_ID: SECRET.access,
      AWS_SECRET_ACCESS_KEY: SECRET.secret,
      RCLONE_CONFIG_BENCH_TYPE: 's3',
      RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
      RCLONE_CONFIG_BENCH_ENDPOINT: endpoint,
      RCLONE_CONFIG_BENCH_ENV_AUTH: 'true',
      RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE: 'true',
    },
    repository: (name) => `s3:${endpoint}/bench/${name}`,
    resticArgs: [],
    holdfastArgs: [],
    rclone: (name) => `bench:bench/${name}`,
    [Symbol.dispose]: () => void server.kill('SIGKILL'),
  };
}

async function sftp(link: Link, folder: string): Promise<Service> {
  const home = join(folder, 'ssh');
  fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  fs.mkdirSync('/run/sshd', { recursive: true });
  const [hostKey, userKey, known] = [join(home, 'host'), join(home, 'user'), join(home, 'known_hosts')];
  for (const key of [hostKey, userKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  fs.copyFileSync(`${userKey}.pub`, join(home, 'authorized'));
  const [type, key] = fs.readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
  fs.writeFileSync(known, `[${link.address}]:${PORT} ${type} ${key}\n`);
  const settings = {
    Port: PORT,
    ListenAddress: link.address,
    HostKey: hostKey,
    AuthorizedKeysFile: join(home, 'authorized'),
    PidFile: 'none',
    PermitRootLogin: 'yes',
    StrictModes: 'no',
    Subsystem: 'sftp internal-sftp',
  };
  fs.writeFileSync(
    join(home, 'config'),
    Object.entries(settings)
      .map(([k, v]) => `${k} ${v}\n`)
      .join(''),
  );
  const server = start(link, findProgram('sshd') ?? 'sshd', ['-D', '-f', join(home, 'config')]);
  await answering(link);
  const at = (name: string) => join(folder, 'sftp', name);
  const ssh = `ssh -p ${PORT} -i ${userKey} -o UserKnownHostsFile=${known} root@${link.address} -s sftp`;
  return {
    env: {
      RCLONE_CONFIG_BENCH_TYPE: 'sftp',
      RCLONE_CONFIG_BENCH_HOST: link.address,
      RCLONE_CONFIG_BENCH_PORT: String(PORT),
      RCLONE_CONFIG_BENCH_USER: 'root',
      RCLONE_CONFIG_BENCH_KEY_FILE: userKey,
    },
    repository: (name) => `sftp://root@${link.address}:${PORT}/${at(name)}`,
    resticArgs: ['-o', `sftp.command=${ssh}`],
    holdfastArgs: ['-o', `sftp.identity-file=${userKey}`, '-o', `sftp.known-hosts=${known}`],
    rclone: (name) => `bench:${at(name)}`,
    [Symbol.dispose]: () => void server.kill('SIGKILL'),
  };
}

async function rest(link: Link, folder: string): Promise<Service> {
  const data = join(folder, 'rest');
  fs.mkdirSync(data, { recursive: true });
  const server = start(link, 'rclone', ['serve', 'restic', '--addr', `${link.address}:${PORT}`, data]);
  await answering(link);
  return {
    env: {},
    repository: (name) => `rest:http://${link.address}:${PORT}/${name}/`,
    resticArgs: [],
    holdfastArgs: [],
    rclone: () => undefined,
    [Symbol.dispose]: () => void server.kill('SIGKILL'),
  };
}

const SERVICES = { s3, sftp, rest } as const satisfies Record<
  Kind,
  (link: Link, folder: string) => Promise<Service>
>;

interface Round {
  readonly link: Link;
  readonly service: Service;
  readonly source: string;
  /** A folder of its own for homes, caches and what comes back. */
  readonly folder: string;
  readonly name: string;
}

type Measured = Readonly<Record<Way, RunResult>>;

/** There and back, compared. undefined where the tool has no such storage. */
async function race(tool: ToolName, r: Round): Promise<Measured | undefined> {
  const target = join(r.folder, 'back');
  fs.mkdirSync(target);
  const measured = tool === 'rclone' ? await copied(r, target) : await backedUp(tool, r, target);
  if (measured) expectSameBytes(r.source, target);
  return measured;
}

/** rclone keeps only whole seconds on some storages, so times don't count here. */
function expectSameBytes(source: string, target: string): void {
  for (const name of fs.readdirSync(source)) {
    if (fs.readFileSync(join(source, name)).equals(fs.readFileSync(join(target, name)))) continue;
    throw new Error(`${name} came back with other bytes`);
  }
}

async function copied({ link, service, source, folder, name }: Round, target: string) {
  const remote = service.rclone(name);
  if (remote === undefined) return undefined;
  const env = { ...service.env, HOME: folder };
  const call = async (...args: readonly string[]) =>
    expectCode(await inClient(link, 'rclone', [...args, '--quiet'], { env, measureMemory: true }), 0);
  return { up: await call('copy', source, remote), down: await call('copy', remote, target) };
}

async function backedUp(tool: 'holdfast' | 'restic', r: Round, target: string) {
  const repository = r.service.repository(r.name);
  const own =
    tool === 'holdfast'
      ? [process.execPath, ENTRY, ...r.service.holdfastArgs]
      : ['restic', ...r.service.resticArgs];
  const [command = '', ...first] = own;
  const env = {
    ...r.service.env,
    HOME: r.folder,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: TEST_PASSWORD,
    RESTIC_CACHE_DIR: join(r.folder, 'cache'),
    HOLDFAST_DATA_DIR: join(r.folder, 'data'),
  };
  const call = async (...args: readonly string[]) =>
    expectCode(
      await inClient(r.link, command, [...first, ...args], { env, cwd: r.source, measureMemory: true }),
      0,
    );
  await call('init');
  const up = await call('backup', '--quiet', '.');
  return { up, down: await call('restore', 'latest', '--quiet', '--target', target) };
}

type Numbers = Map<string, Map<ToolName, Record<Way, number[]> & { peak: number[] }>>;

async function lap(kind: Kind, link: Link, source: string, label: string, numbers: Numbers): Promise<void> {
  using temp = new Temp(tmpdir());
  using service = await SERVICES[kind](link, temp.dir('bench-server'));
  for (const tool of TOOLS) {
    const folder = temp.dir(`bench-${tool}`);
    const measured = await race(tool, { link, service, source, folder, name: tool });
    if (!measured) continue;
    const row = numbers.get(label) ?? new Map();
    const values = row.get(tool) ?? { up: [], down: [], peak: [] };
    values.up.push(measured.up.seconds);
    values.down.push(measured.down.seconds);
    values.peak.push(Math.max(measured.up.peakBytes, measured.down.peakBytes));
    numbers.set(label, row.set(tool, values));
    console.error(
      `${label} ${tool}: up ${measured.up.seconds.toFixed(2)} s, down ${measured.down.seconds.toFixed(2)} s`,
    );
  }
}

function numbersOf(text: string): readonly number[] {
  const values = text.split(',').map(Number);
  if (values.some((value) => !(value > 0))) throw new Error(`${text} is no list of numbers over 0`);
  return values;
}

function table(numbers: Numbers, bytes: number, bitsPerSecond: number): string {
  const rate = (seconds: number) => (bytes * 8) / seconds;
  const cell = (seconds: readonly number[] | undefined) => {
    if (!seconds || seconds.length === 0) return '–';
    const middle = rate(median(seconds));
    const range = `${median(seconds).toFixed(1)} s, ${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)}`;
    return `${(middle / 1e6).toFixed(0)} Mbit/s, ${((100 * middle) / bitsPerSecond).toFixed(0)} % (${range})`;
  };
  const rows = [...numbers].flatMap(([label, row]) => [
    ...(['up', 'down'] as const).map((way) => [
      `${label}, ${way === 'up' ? 'backup' : 'restore'}`,
      ...TOOLS.map((tool) => cell(row.get(tool)?.[way])),
    ]),
    [
      `${label}, peak memory`,
      ...TOOLS.map((tool) => {
        const peaks = row.get(tool)?.peak;
        return peaks ? `${(median(peaks) / (1 << 20)).toFixed(0)} MiB` : '–';
      }),
    ],
  ]);
  const head = ['', ...TOOLS];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

async function main(): Promise<void> {
  const [[mbits = 100], [mib = 256], [rounds = 3]] = [flags.mbits, flags.mib, flags.rounds].map(
    numbersOf,
  ) as [number[], number[], number[]];
  const kinds = KINDS.filter((kind) => flags.kinds.split(',').includes(kind));
  const bitsPerSecond = mbits * 1e6;
  using temp = new Temp(tmpdir());
  const source = temp.dir('bench-source');
  fs.writeFileSync(join(source, 'random'), randomFillSync(Buffer.alloc(mib << 20)));
  const numbers: Numbers = new Map();
  for (let i = 0; i < rounds; i++) {
    for (const roundTripMs of numbersOf(flags.delays)) {
      using link = openLink({ roundTripMs, bitsPerSecond });
      for (const kind of kinds) await lap(kind, link, source, `${kind}, ${roundTripMs} ms`, numbers);
    }
  }
  const text = `${HEADING}\n\n${intro(mib, mbits, rounds)}\n\n${table(numbers, mib << 20, bitsPerSecond)}\n`;
  process.stdout.write(text);
  if (flags.write) writeInto(text);
}

function intro(mib: number, mbits: number, rounds: number): string {
  return `Made by \`npm run bench:network -- --write\`: one file of ${mib} MiB of random bytes over a line of ${mbits} Mbit/s with the given delay there
and back, kept by a process between two network namespaces. Every round starts with an empty repository and empty caches and ends
with a comparison of what came back. Payload over the whole run of the program, from its start to its end; medians of ${rounds}
rounds, which take turns. S3 is versitygw, SFTP is OpenSSH, REST is \`rclone serve restic\`. rclone copies the bare file: it neither cuts,
hashes nor seals. ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}, Node ${process.version}.`;
}

/** In place of the same chapter, or at the end. */
function writeInto(text: string): void {
  const document = fs.readFileSync(DOCUMENT, 'utf8');
  const at = document.indexOf(`\n${HEADING}\n`);
  const before = at < 0 ? `${document.trimEnd()}\n` : document.slice(0, at);
  const next = at < 0 ? -1 : document.indexOf('\n## ', at + HEADING.length);
  fs.writeFileSync(DOCUMENT, `${before}\n${text}${next < 0 ? '' : document.slice(next)}`);
}

await main();
