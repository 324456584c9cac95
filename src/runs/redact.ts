/** Keeps secrets out of texts that are stored or shown. */
import { redact } from '../secrets/redact.ts';
import type { Secrets } from '../secrets/secrets.ts';

/** A function that masks every secret that Holdfast keeps. Errors: those of the secret store. */
export async function redactor(secrets: Pick<Secrets, 'names' | 'get'>): Promise<(text: string) => string> {
  const values: string[] = [];
  for (const name of await secrets.names()) {
    const value = await secrets.get(name);
    if (value !== undefined) values.push(value);
  }
  return (text) => redact(text, values);
}
