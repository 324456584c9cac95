/** A server that speaks restic's REST protocol. */
import type { Missing, Place } from './built.ts';

export interface RestForm {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

export const NO_REST: RestForm = { address: '', username: '', password: '' };

/** A login that is part of the address goes to where secrets belong; what is typed into its own fields wins. */
export function restPlace({ address, username, password }: RestForm): Place | Missing {
  const text = address.trim().replace(/^rest:/i, '');
  if (/^http\+unix:\S+$/i.test(text))
    return { location: `rest:${withSlash(text)}`, options: {}, ...loginOf(username, password) };
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  if (!isAddress(url)) return { missing: 'rest.missing.address' };
  const inAddress = { username: decoded(url.username), password: decoded(url.password) };
  return {
    location: `rest:${withSlash(url.origin + url.pathname)}`,
    options: {},
    ...loginOf(username.trim() || inAddress.username, password || inAddress.password),
  };
}

function isAddress(url: URL | null): url is URL {
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.hostname !== '' &&
    url.search === '' &&
    url.hash === ''
  );
}

function loginOf(username: string, password: string) {
  return username === '' ? {} : { login: { username, password } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const withSlash = (address: string): string => (address.endsWith('/') ? address : `${address}/`);
