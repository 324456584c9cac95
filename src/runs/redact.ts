/** Keeps secrets out of texts that are stored or shown. */
import { secretsIn } from '../secrets/login-secrets.ts';
import { redact } from '../secrets/redact.ts';
import type { Secrets } from '../secrets/secrets.ts';

/** A function that masks every secret that Holdfast keeps. Errors: those of the secret store. */
export async function redactor(secrets: Pick<Secrets, 'names' | 'get'>): Promise<(text: string) => string> {
  const values: string[] = [];
  for (const name of await secrets.names()) {
    const value = await secrets.get(name);
    if (value === undefined) continue;
    values.push(...((name.startsWith('login:') && secretsIn(value)) || [value]));
  }
  return (text) => redact(text, values);
}
