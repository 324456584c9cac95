/**
 * From the text of an SFTP location to server, login name and folder.
 *
 * Both spellings of restic are read: `user@host:folder`, as scp has it, and `//user@host:port/folder`, as a URL. In the second the
 * folder begins behind the slash that ends the server's name, so an absolute one has two slashes. A folder that is not absolute
 * lies below the home of the login. Source: restic's manual, "Preparing a new repository", SFTP.
 */
import { EngineError } from '../../api/errors.ts';

export interface Target {
  /** undefined: what ~/.ssh/config says, or who runs this program. */
  readonly user: string | undefined;
  /** A name, an address (IPv6 without brackets), or an alias of ~/.ssh/config. */
  readonly host: string;
  readonly port: number | undefined;
  /** POSIX, cleaned; relative to the home unless it begins with a slash. */
  readonly folder: string;
}

const HINT = 'Write sftp:user@host:/folder or sftp://user@host:port//folder.';

function malformed(why: string): EngineError {
  return new EngineError('usage', `The location of the SFTP server can't be read: ${why}.`, { hint: HINT });
}

// Nothing here ever becomes an argument of a program; but names with such characters are no names, and a leading dash, a comma or
// a pattern would mean something else in files and tools of SSH.
const HOST = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;
const IPV6 = /^[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?$/i;
const USER = /^[^\p{Cc}\p{Zl}\p{Zp}\s-][^\p{Cc}\p{Zl}\p{Zp}]*$/u;
const MOST_NAME = 255;

function checkHost(host: string): string {
  if (host === '') throw malformed('it names no server');
  const good = host.length <= MOST_NAME && (HOST.test(host) || IPV6.test(host));
  if (!good) throw malformed(`${JSON.stringify(host)} is not the name of a server`);
  return host;
}

/** Errors: usage. */
export function checkUser(user: string): string {
  if (user.length > MOST_NAME || !USER.test(user)) {
    throw malformed(`${JSON.stringify(user)} is not a login name`);
  }
  return user;
}

function checkPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw malformed(`${text} is not a port`);
  return port;
}

/** Without doubled slashes, dots and a slash at the end; `..` is kept, for a link may stand before it. */
function cleanFolder(folder: string): string {
  if (folder === '') throw malformed('it names no folder');
  if (/\p{Cc}/u.test(folder)) throw malformed('the folder has characters that can not be shown');
  if (folder.startsWith('~')) {
    throw new EngineError('usage', 'A folder on an SFTP server can not begin with a tilde.', {
      hint: 'Leave out "~/": a folder without a slash in front lies below the home of the login.',
    });
  }
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.');
  return folder.startsWith('/') ? `/${parts.join('/')}` : parts.join('/') || '.';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('a percent sign in it is followed by no code');
  }
}

function refusePassword(user: string): void {
  if (!user.includes(':')) return;
  throw new EngineError('usage', 'A password does not belong into the location of an SFTP server.', {
    hint: 'Give the password with the login of the destination; the location is shown and stored as it is.',
  });
}

// Behind the two slashes: user (greedy, it may hold at-signs), host or [address], port, and the folder.
const URL_FORM = /^(?:(.*)@)?(?:\[([^\]]*)\]|([^:/[\]@]*))(?::([^/]*))?(?:\/(.*))?$/s;

function parseUrl(text: string): Target {
  const slash = text.indexOf('/');
  const found = URL_FORM.exec(slash < 0 ? text : `${text.slice(0, slash)}/`);
  if (found === null) throw malformed('the name of the server has unknown parts');
  const [, user, address, name = '', port] = found;
  if (user !== undefined) refusePassword(user);
  return {
    user: user === undefined ? undefined : checkUser(decoded(user)),
    host: checkHost(address ?? decoded(name)),
    port: checkPort(port),
    folder: cleanFolder(decoded(slash < 0 ? '' : text.slice(slash + 1))),
  };
}

const SCP_FORM = /^(?:([^:/[\]]*)@)?(?:\[([^\]]*)\]|([^:/[\]@]*)):(.*)$/s;

function parseScp(text: string): Target {
  const found = SCP_FORM.exec(text);
  if (found === null) {
    if (/^[^/[\]@:]*:.*@/s.test(text)) refusePassword(text);
    throw malformed('there is no colon between server and folder');
  }
  const [, user, address, name = '', folder = ''] = found;
  if (user === undefined && /^[^/]*@/.test(folder)) refusePassword(':');
  return {
    user: user === undefined ? undefined : checkUser(user),
    host: checkHost(address ?? name),
    port: undefined,
    folder: cleanFolder(folder),
  };
}

/** `text`: the location without `sftp:`. Errors: usage. */
export function parseTarget(text: string): Target {
  return text.startsWith('//') ? parseUrl(text.slice(2)) : parseScp(text);
}

function inBrackets(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** A server in a sentence: its name, and the port where it is not the usual one. */
export function hostAndPort(host: string, port: number): string {
  return port === 22 ? host : `${inBrackets(host)}:${port}`;
}

/** The location in one of restic's spellings; it holds no secrets. */
export function showTarget({ user, host, port, folder }: Target): string {
  const login = user === undefined ? '' : `${user}@`;
  if (port === undefined) return `sftp:${login}${inBrackets(host)}:${folder}`;
  const safe = folder.replaceAll('%', '%25');
  return `sftp://${login.replaceAll('%', '%25')}${inBrackets(host)}:${port}/${safe}`;
}
