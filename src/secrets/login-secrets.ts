/** What of a login is secret: it lies in the secret store as a flat record of texts, in JSON. */
import { z } from 'zod';

const Texts = z.record(z.string(), z.string());
/** Of these nothing is secret, and names of people would make gaps everywhere. */
const PLAIN = /^(user|username|account|hostKey|clientId|accessKeyId|expiresAt|region)$/;

/** The secrets in a login, for whoever masks them in texts; undefined for what is none. */
export function secretsIn(text: string): readonly string[] | undefined {
  try {
    const fields = Texts.safeParse(JSON.parse(text)).data;
    return fields && Object.entries(fields).flatMap(([name, value]) => (PLAIN.test(name) ? [] : [value]));
  } catch {
    return undefined;
  }
}
