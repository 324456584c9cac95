/** Keeps secrets out of texts that are stored or shown. */
import type { Secrets } from '../secrets/secrets.ts';

/** Shorter ones would tear ordinary words apart. */
const LEAST_LENGTH = 4;
const MASK = '•••';

/** A function that masks every secret that Holdfast keeps. Errors: those of the secret store. */
export async function redactor(secrets: Pick<Secrets, 'names' | 'get'>): Promise<(text: string) => string> {
  const values: string[] = [];
  for (const name of await secrets.names()) {
    const value = await secrets.get(name);
    if (value !== undefined && value.length >= LEAST_LENGTH) values.push(value);
  }
  // The longest first: one may be a part of another.
  values.sort((a, b) => b.length - a.length);
  return (text) => values.reduce((masked, value) => masked.replaceAll(value, MASK), text);
}
