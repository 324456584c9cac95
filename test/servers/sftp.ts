/**
 * An SFTP server in this process, over ssh2's own server side, with a real folder behind it. It offers no extensions, so a rename
 * onto a file is refused; and it misbehaves on demand. All it does is done at once and in order.
 */
import { timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2, {
  type Attributes,
  type AuthContext,
  type Connection,
  type ParsedKey,
  type SFTPWrapper,
} from 'ssh2';

export interface SftpServerOptions {
  /** The server's `/`. */
  readonly root: string;
  /** Any free one unless told. */
  readonly port?: number;
  /** PEM texts; a new ed25519 key unless told. */
  readonly hostKeys?: readonly string[];
  readonly password?: string;
  /** Takes the password only by questions. */
  readonly questions?: boolean;
  /** A public key that is let in. */
  readonly publicKey?: ParsedKey;
  /** Wants a new password. */
  readonly expired?: boolean;
  /** Wants the key and then the password. */
  readonly both?: boolean;
  readonly misbehaviour?: Misbehaviour;
}

/** May be changed while the server runs. */
export interface Misbehaviour {
  /** Bytes that a READ gives at most. */
  shortReads?: number;
  /** Answers what came within one turn of the event loop in reverse. */
  reversed?: boolean;
  /** Ends the connection instead of answering a request of the kind, when this says so. */
  drop?: (request: string) => boolean;
  /** Never answers a request for which this says so. */
  silent?: (request: string) => boolean;
  /** Answers with this status code where it is one. */
  refuse?: (request: string) => number | undefined;
  /** Lists without sizes and kinds. */
  bareLists?: boolean;
  /** Closes connections beyond so many before the greeting. */
  mostConnections?: number;
  /** Has no SFTP. */
  noSftp?: boolean;
}

export interface SftpServer {
  readonly port: number;
  readonly hostKeys: readonly ParsedKey[];
  readonly requests: readonly string[];
  /** What was tried to log in with: method and, of passwords, the text. */
  readonly attempts: readonly string[];
  /** Connections that reached the login, so far. */
  logins(): number;
  /** Ends all connections, as a network does. */
  cut(): void;
  close(): Promise<void>;
}

const OK = 0;
const EOF = 1;
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;

export function newHostKey(type: 'ed25519' | 'ecdsa' = 'ed25519'): string {
  return type === 'ed25519'
    ? ssh2.utils.generateKeyPairSync('ed25519').private
    : ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
}

export function parsed(pem: string): ParsedKey {
  const key: unknown = ssh2.utils.parseKey(pem);
  const one: unknown = Array.isArray(key) ? key[0] : key;
  if (one instanceof Error || typeof one !== 'object') throw new Error('not a key');
  return one as ParsedKey;
}

export async function startSftp(o: SftpServerOptions): Promise<SftpServer> {
  const keys = o.hostKeys ?? [newHostKey()];
  const state: State = {
    o,
    requests: [],
    attempts: [],
    logins: 0,
    sockets: new Set(),
    m: o.misbehaviour ?? {},
  };
  const ssh = new ssh2.Server({ hostKeys: [...keys] }, (connection) => serveConnection(state, connection));
  const listener = net.createServer((socket) => {
    socket.setNoDelay(true);
    state.sockets.add(socket);
    socket.on('close', () => state.sockets.delete(socket)).on('error', () => undefined);
    if (state.sockets.size > (state.m.mostConnections ?? Number.POSITIVE_INFINITY)) socket.destroy();
    else ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(o.port ?? 0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of state.sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    hostKeys: keys.map(parsed),
    requests: state.requests,
    attempts: state.attempts,
    logins: () => state.logins,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

interface State {
  readonly o: SftpServerOptions;
  readonly m: Misbehaviour;
  readonly requests: string[];
  readonly attempts: string[];
  readonly sockets: Set<net.Socket>;
  logins: number;
}

function serveConnection(state: State, connection: Connection): void {
  const passed = new Set<string>();
  connection.on('error', () => undefined);
  connection.on('authentication', (context) => authenticate(state, context, passed));
  connection.on('ready', () => {
    state.logins++;
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp, reject) => {
        if (state.m.noSftp) reject();
        else new Session(state, acceptSftp()).serve();
      });
    });
  });
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether what the client shows is right; undefined: it must show more first. */
function isRight({ o, attempts }: State, context: AuthContext, then: (right: boolean) => void): void {
  if (context.method === 'password') {
    attempts.push(`password ${context.password}`);
    if (o.expired) return context.requestChange('Choose another password', () => then(false));
    return then(!o.questions && context.password === o.password);
  }
  if (context.method === 'keyboard-interactive') {
    attempts.push('keyboard-interactive');
    return context.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => then(answer === o.password));
  }
  if (context.method === 'publickey') {
    attempts.push('publickey');
    const known = o.publicKey !== undefined && same(context.key.data, o.publicKey.getPublicSSH());
    if (!known || !context.signature || !context.blob) return then(known);
    return then(o.publicKey.verify(context.blob, context.signature, context.hashAlgo));
  }
  attempts.push(context.method);
  then(false);
}

function authenticate(state: State, context: AuthContext, passed: Set<string>): void {
  const { o } = state;
  const words = o.questions ? (['keyboard-interactive'] as const) : (['password'] as const);
  const methods = [
    ...(o.publicKey === undefined ? [] : (['publickey'] as const)),
    ...(o.password === undefined ? [] : words),
  ];
  isRight(state, context, (right) => {
    if (!right) return context.reject([...methods]);
    const asking = context.method === 'publickey' && !context.signature;
    if (asking || !o.both) return context.accept();
    passed.add(context.method);
    if (passed.size >= 2) context.accept();
    else
      context.reject(
        methods.filter((m) => !passed.has(m)),
        true,
      );
  });
}

type Answer = () => void;

class Session {
  readonly #state: State;
  readonly #sftp: SFTPWrapper;
  readonly #files = new Map<number, number>();
  readonly #lists = new Map<number, string[] | undefined>();
  readonly #paths = new Map<number, string>();
  #next = 0;
  #held: Answer[] = [];

  constructor(state: State, sftp: SFTPWrapper) {
    this.#state = state;
    this.#sftp = sftp;
  }

  serve(): void {
    const s = this.#sftp;
    s.on('error', () => undefined);
    s.on('OPEN', (id, path, flags, attrs) => this.#do('OPEN', id, () => this.#open(id, path, flags, attrs)));
    s.on('READ', (id, h, at, n) => this.#do('READ', id, () => this.#read(id, h, at, n)));
    s.on('WRITE', (id, h, at, data) =>
      this.#do('WRITE', id, () => {
        fs.writeSync(this.#fd(h), data, 0, data.length, at);
        return this.#ok(id);
      }),
    );
    s.on('FSTAT', (id, h) => this.#do('FSTAT', id, () => this.#attrs(id, fs.fstatSync(this.#fd(h)))));
    s.on('FSETSTAT', (id, h, attrs) =>
      this.#do('FSETSTAT', id, () => {
        fs.fchmodSync(this.#fd(h), attrs.mode & 0o7777);
        return this.#ok(id);
      }),
    );
    s.on('CLOSE', (id, h) => this.#do('CLOSE', id, () => this.#close(id, h)));
    this.#serveNames();
  }

  #serveNames(): void {
    const s = this.#sftp;
    s.on('OPENDIR', (id, path) => this.#do('OPENDIR', id, () => this.#openList(id, path)));
    s.on('READDIR', (id, h) => this.#do('READDIR', id, () => this.#readList(id, h)));
    s.on('STAT', (id, path) => this.#do('STAT', id, () => this.#attrs(id, fs.statSync(this.#real(path)))));
    s.on('LSTAT', (id, path) => this.#do('LSTAT', id, () => this.#attrs(id, fs.lstatSync(this.#real(path)))));
    s.on('REMOVE', (id, path) =>
      this.#do('REMOVE', id, () => {
        fs.unlinkSync(this.#real(path));
        return this.#ok(id);
      }),
    );
    s.on('MKDIR', (id, path, attrs) =>
      this.#do('MKDIR', id, () => {
        fs.mkdirSync(this.#real(path), { mode: attrs.mode & 0o7777 });
        return this.#ok(id);
      }),
    );
    s.on('RENAME', (id, from, to) =>
      this.#do('RENAME', id, () => {
        fs.linkSync(this.#real(from), this.#real(to));
        fs.unlinkSync(this.#real(from));
        return this.#ok(id);
      }),
    );
  }

  #real(path: string): string {
    return join(this.#state.o.root, path);
  }

  #fd(handle: Buffer): number {
    const fd = this.#files.get(handle.readUInt32BE(0));
    if (fd === undefined) throw Object.assign(new Error('no such handle'), { code: 'EBADF' });
    return fd;
  }

  #ok(id: number): Answer {
    return () => this.#sftp.status(id, OK);
  }

  #attrs(id: number, stats: fs.Stats): Answer {
    return () => this.#sftp.attrs(id, attributesOf(stats));
  }

  #do(request: string, id: number, work: () => Answer): void {
    const { m, requests } = this.#state;
    requests.push(request);
    if (m.drop?.(request)) {
      for (const socket of this.#state.sockets) socket.destroy();
      return;
    }
    if (m.silent?.(request)) return;
    const code = m.refuse?.(request);
    this.#answer(code === undefined ? this.#answerOf(id, work) : () => this.#sftp.status(id, code));
  }

  #answerOf(id: number, work: () => Answer): Answer {
    try {
      return work();
    } catch (e) {
      const code = statusOf(e);
      return () => this.#sftp.status(id, code);
    }
  }

  #answer(answer: Answer): void {
    if (!this.#state.m.reversed) return answer();
    this.#held.push(answer);
    if (this.#held.length > 1) return;
    setImmediate(() => {
      const held = this.#held.reverse();
      this.#held = [];
      for (const one of held) one();
    });
  }

  #handle(id: number, keep: (key: number) => void): Answer {
    const key = this.#next++;
    keep(key);
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(key);
    return () => this.#sftp.handle(id, handle);
  }

  #open(id: number, path: string, flags: number, attrs: Attributes): Answer {
    const mode = ssh2.utils.sftp.flagsToString(flags);
    if (mode === null) throw new Error('unknown flags');
    const fd = fs.openSync(this.#real(path), mode, attrs.mode === undefined ? 0o666 : attrs.mode & 0o7777);
    return this.#handle(id, (key) => this.#files.set(key, fd));
  }

  #read(id: number, handle: Buffer, at: number, length: number): Answer {
    const bytes = Buffer.alloc(Math.min(length, this.#state.m.shortReads ?? length));
    const got = fs.readSync(this.#fd(handle), bytes, 0, bytes.length, at);
    return got === 0 ? () => this.#sftp.status(id, EOF) : () => this.#sftp.data(id, bytes.subarray(0, got));
  }

  #close(id: number, handle: Buffer): Answer {
    const key = handle.readUInt32BE(0);
    const fd = this.#files.get(key);
    if (fd !== undefined) fs.closeSync(fd);
    this.#files.delete(key);
    this.#lists.delete(key);
    return this.#ok(id);
  }

  #openList(id: number, path: string): Answer {
    const real = this.#real(path);
    const names = fs.readdirSync(real);
    return this.#handle(id, (key) => {
      this.#lists.set(key, names);
      this.#paths.set(key, real);
    });
  }

  #readList(id: number, handle: Buffer): Answer {
    const key = handle.readUInt32BE(0);
    const names = this.#lists.get(key)?.splice(0, 100) ?? [];
    if (names.length === 0) return () => this.#sftp.status(id, EOF);
    const folder = this.#paths.get(key) ?? '';
    const entries = names.map((filename) => ({
      filename,
      longname: filename,
      attrs: this.#state.m.bareLists ? EMPTY : attributesOf(fs.lstatSync(join(folder, filename))),
    }));
    return () => this.#sftp.name(id, entries);
  }
}

const EMPTY = {} as Attributes;

function attributesOf(s: fs.Stats): Attributes {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return {
    mode: s.mode,
    uid: s.uid,
    gid: s.gid,
    size: s.size,
    atime: seconds(s.atimeMs),
    mtime: seconds(s.mtimeMs),
  };
}

function statusOf(e: unknown): number {
  const code = e instanceof Error && 'code' in e ? e.code : '';
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EBADF') return NO_SUCH_FILE;
  return code === 'EACCES' || code === 'EPERM' ? PERMISSION_DENIED : FAILURE;
}
