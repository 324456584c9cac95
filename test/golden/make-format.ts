/**
 * Makes the golden files of test/golden/format with the real restic:
 *
 *     node test/golden/make-format.ts <name of the folder> [restic binary, default: the one on PATH]
 *
 * Needs Linux, root (device nodes), `unshare`, `setfattr` and a file system with user attributes. It backs up a
 * folder of odd names, opens what restic stored (AES-256-CTR and zstd; the MACs are not checked here) and keeps the
 * plain bytes: every tree, snapshot, index, lock, config, the key file and the header of each pack.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

const PASSWORD = 'golden';
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: make-format.ts <folder> [restic]');
const restic = process.argv[3] ?? 'restic';
const out = join(import.meta.dirname, 'format', folder);
const work = mkdtempSync(join(tmpdir(), 'golden-'));
const source = join(work, 'source');
const env = {
  ...process.env,
  RESTIC_PASSWORD: PASSWORD,
  RESTIC_CACHE_DIR: join(work, 'cache'),
  TZ: 'Europe/Berlin',
};

/** Odd names: quoting, HTML, controls, no UTF-8, soft hyphen, separators, combining marks, new and no code points. */
const NAMES: readonly (string | Buffer)[] = [
  'plain.txt',
  'with space',
  'quote"d',
  'back\\slash',
  '<html>&amp;',
  'new\nline',
  'tab\tand\x01\x07\b\v\f\r\x1b\x7f',
  'émile',
  'e\u0301mile',
  '日本語',
  'emoji \u{1f600}\u{1f469}\u200d\u{1f4bb}',
  'soft\u00adhyphen nbsp\u00a0',
  'separators \u2028\u2029',
  'bidi \u202e',
  'c1 \u0085',
  'replacement \ufffd',
  'private \ue000',
  'none \u0378 \uffff \u{e0001} \u{10ffff}',
  'unicode 16 \u{1c89}',
  "'single'",
  '$`!*?[]',
  Buffer.from('latin1 \xe9\xff', 'latin1'),
  Buffer.from('surrogate \xed\xa0\x80', 'latin1'),
  Buffer.from('overlong \xc0\xaf cut \xe2\x82', 'latin1'),
];
/** Assigned in Unicode 14 and 15: restic's spelling depends on the Go that built it. */
const NEWER_NAMES = ['unicode 14 \u{1fae0}', 'unicode 15 \u{1fae8}'];

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs restic with a host name that tells nothing. */
function quietRestic(...args: readonly string[]): readonly string[] {
  return ['-u', 'sh', '-c', 'hostname golden.example; exec "$@"', 'sh', restic, ...args];
}

function at(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([Buffer.from(source), ...parts.flatMap((p) => [Buffer.from('/'), Buffer.from(p)])]);
}

function makeSource(): void {
  mkdirSync(at('names'), { recursive: true });
  for (const name of NAMES) writeFileSync(at('names', name), name);
  mkdirSync(at('newer'));
  for (const name of NEWER_NAMES) writeFileSync(at('newer', name), name);
  makeKinds();
  makeTimes();
  mkdirSync(at('empty'));
}

function makeKinds(): void {
  mkdirSync(at('kinds'));
  symlinkSync('../names/plain.txt', at('kinds', 'link'));
  symlinkSync('<&>"\u2028', at('kinds', 'link to odd text'));
  symlinkSync(Buffer.from('to \xff\xfe\xe9', 'latin1'), at('kinds', 'link to bytes'));
  run('mkfifo', [`${source}/kinds/fifo`]);
  run('mknod', [`${source}/kinds/block`, 'b', '7', '300']);
  run('mknod', [`${source}/kinds/char`, 'c', '1', '3']);
  writeFileSync(at('kinds', 'empty'), '');
  writeFileSync(at('kinds', 'sparse'), 'head');
  truncateSync(`${source}/kinds/sparse`, 3_000_000);
  writeFileSync(at('kinds', 'special bits'), 'x');
  chmodSync(at('kinds', 'special bits'), 0o7755);
  writeFileSync(at('kinds', 'strangers'), 'x');
  run('chown', ['54321:54322', `${source}/kinds/strangers`]);
  run('ln', [`${source}/kinds/strangers`, `${source}/kinds/hard link`]);
  writeFileSync(at('kinds', 'attributes'), 'x');
  for (const [name, value] of [
    ['user.text', 'hello'],
    ['user.empty', ''],
    ['user.<&>', '0x00ff'],
  ] as const) {
    run('setfattr', ['-n', name, '-v', value, `${source}/kinds/attributes`]);
  }
}

function makeTimes(): void {
  mkdirSync(at('times'));
  const times = [-3e9, -1, 0, 1e8 + 0.5, 828_230_399, 828_230_400, 1.7e9, 1.72e9 + 0.25, 4.1e9];
  for (const time of times) {
    writeFileSync(at('times', String(time)), '');
    utimesSync(at('times', String(time)), 1.7e9, time);
  }
}

type Opener = (sealed: Uint8Array) => Buffer;

function opener(key: Uint8Array): Opener {
  return (sealed) => {
    const cipher = createDecipheriv('aes-256-ctr', key, sealed.subarray(0, 16));
    return Buffer.concat([cipher.update(sealed.subarray(16, -16)), cipher.final()]);
  };
}

function openRepository(repo: string): {
  readonly keyFile: Buffer;
  readonly master: Buffer;
  readonly open: Opener;
} {
  const keyFile = readFileSync(join(repo, 'keys', readdirSync(join(repo, 'keys'))[0]!));
  const key = JSON.parse(keyFile.toString());
  const options = { N: key.N, r: key.r, p: key.p, maxmem: 256 * key.N * key.r };
  const user = scryptSync(PASSWORD, Buffer.from(key.salt, 'base64'), 64, options);
  const master = opener(user.subarray(0, 32))(Buffer.from(key.data, 'base64'));
  return { keyFile, master, open: opener(Buffer.from(JSON.parse(master.toString()).encrypt, 'base64')) };
}

function unpack(plain: Buffer): Buffer {
  return plain[0] === 2 ? zstdDecompressSync(plain.subarray(1)) : plain;
}

function keep(name: string, bytes: Uint8Array): void {
  writeFileSync(join(out, name), bytes);
}

function harvest(version: string, repo: string, lock: Buffer): void {
  const { keyFile, master, open } = openRepository(repo);
  keep(`${version}-key.json`, keyFile);
  keep(`${version}-masterkey.json`, master);
  keep(`${version}-lock.json`, unpack(open(lock)));
  keep(`${version}-config.json`, unpack(open(readFileSync(join(repo, 'config')))));
  for (const [kind, dir] of [
    ['snapshot', 'snapshots'],
    ['index', 'index'],
  ] as const) {
    for (const [i, name] of readdirSync(join(repo, dir)).entries()) {
      keep(`${version}-${kind}-${i}.json`, unpack(open(readFileSync(join(repo, dir, name)))));
    }
  }
  harvestPacks(version, repo, open);
}

/** Headers are kept as `<version>-header-<size of the pack>`, trees by the first digits of their ids. */
function harvestPacks(version: string, repo: string, open: Opener): void {
  const data = join(repo, 'data');
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    if (name.length < 64) continue;
    const pack = readFileSync(join(data, name));
    const headerStart = pack.length - 4 - pack.readUInt32LE(pack.length - 4);
    const header = open(pack.subarray(headerStart, -4));
    keep(`${version}-header-${pack.length}.bin`, header);
    for (let entry = 0, offset = 0; entry < header.length; ) {
      const type = header[entry]!;
      const length = header.readUInt32LE(entry + 1);
      const blob = open(pack.subarray(offset, offset + length));
      const plain = type >= 2 ? zstdDecompressSync(blob) : blob;
      if (type % 2 === 1) keepTree(version, plain, header, entry);
      offset += length;
      entry += type >= 2 ? 41 : 37;
    }
  }
}

function keepTree(version: string, plain: Buffer, header: Buffer, entry: number): void {
  const id = createHash('sha256').update(plain).digest('hex');
  if (!header.subarray(entry).includes(Buffer.from(id, 'hex')))
    throw new Error('a tree does not match its id');
  const newer = plain.includes('unicode 15') ? 'newer' : 'tree';
  keep(`${version}-${newer}-${id.slice(0, 8)}.json`, plain);
}

/** A lock lives as long as its process: a backup from a pipe that stays open. */
async function catchLock(repo: string): Promise<Buffer> {
  const child = spawn('unshare', quietRestic('-r', repo, 'backup', '--stdin', '--host', 'golden'), {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const locks = join(repo, 'locks');
  let lock: Buffer | undefined;
  while (lock === undefined && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const name = readdirSync(locks).find((n) => n.length === 64);
    if (name !== undefined) lock = readFileSync(join(locks, name));
  }
  child.stdin.end('from a pipe');
  await exited;
  if (lock === undefined) throw new Error('restic made no lock');
  return lock;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
makeSource();
for (const version of ['1', '2']) {
  const repo = join(work, `repo${version}`);
  run('unshare', quietRestic('-r', repo, 'init', '--repository-version', version));
  const backup = ['-r', repo, 'backup', '--host', 'golden', '--with-atime'];
  run('unshare', quietRestic(...backup, '--tag', 'a,<b>', '--tag', 'ü', '--exclude', '*.tmp', source));
  writeFileSync(at('names', 'plain.txt'), 'changed');
  run('unshare', quietRestic(...backup, join(source, 'names'), join(source, 'empty')));
  run('unshare', quietRestic('-r', repo, 'tag', '--add', 'later'));
  harvest(`v${version}`, repo, await catchLock(repo));
}
rmSync(work, { recursive: true, force: true });
