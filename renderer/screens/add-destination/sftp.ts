/** A server that is reached over SSH. */
import type { Login } from '../../../src/api/model/destination.ts';
import type { Missing, Place } from './built.ts';
import { given } from './options.ts';

export const SFTP_ENTRIES = ['password', 'key', 'agent'] as const;
export type SftpEntry = (typeof SFTP_ENTRIES)[number];

export interface SftpForm {
  readonly host: string;
  /** Empty: 22, or what ~/.ssh/config of the host's computer says. */
  readonly port: string;
  readonly user: string;
  /** Below the home of the login unless it begins with a slash. */
  readonly folder: string;
  readonly entry: SftpEntry;
  readonly password: string;
  /** A path of the host's computer. */
  readonly keyFile: string;
  readonly passphrase: string;
  /** The fingerprint that was said to be right, for this very server; '': none was. */
  readonly hostKey: string;
}

export const NO_SFTP: SftpForm = {
  host: '',
  port: '',
  user: '',
  folder: '',
  entry: 'password',
  password: '',
  keyFile: '',
  passphrase: '',
  hostKey: '',
};

/** A change to the form. What was said of one server does not count for another. */
export function sftpChanged(form: SftpForm, change: Partial<SftpForm>): SftpForm {
  const other = change.host !== undefined || change.port !== undefined;
  return { ...form, ...(other ? { hostKey: '' } : {}), ...change };
}

/** Source of the location: restic's manual, "Preparing a new repository", SFTP; as a URL, an absolute folder has two slashes. */
export function sftpPlace(form: SftpForm): Place | Missing {
  const [host, port, user] = [form.host.trim(), form.port.trim(), form.user.trim()];
  const folder = form.folder.trim();
  if (!/^[^\s/@]+$/.test(host)) return { missing: 'sftp.missing.host' };
  if (port !== '' && !isPort(port)) return { missing: 'channel.missing.port' };
  if (folder === '' || folder.startsWith('~')) return { missing: 'sftp.missing.folder' };
  if (form.entry === 'key' && form.keyFile.trim() === '') return { missing: 'sftp.missing.key' };
  const login = loginOf(form);
  const account = user === '' ? '' : `${encodeURIComponent(user)}@`;
  const path = folder.split('/').map(encodeURIComponent).join('/');
  return {
    location: `sftp://${account}${inBrackets(host)}${port && `:${port}`}/${path}`,
    options: form.entry === 'key' ? { 'sftp.identity-file': form.keyFile.trim() } : {},
    ...(Object.keys(login).length > 0 ? { login } : {}),
  };
}

/** Only what belongs to the way that was chosen. A password may begin or end with blanks. */
function loginOf({ entry, password, passphrase, hostKey }: SftpForm): Login {
  return {
    ...(entry === 'password' && password !== '' ? { password } : {}),
    ...(entry === 'key' && passphrase !== '' ? { passphrase } : {}),
    ...given({ hostKey }),
  };
}

const isPort = (text: string): boolean =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** An IPv6 address has colons of its own. */
function inBrackets(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
