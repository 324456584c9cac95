/** Takes secrets out of texts that will be seen: output of commands, messages of servers, logs. */

const SHOWN = '[secret]';
/** What is shorter occurs in any text, and its gaps would give it away. */
const LEAST = 4;

/**
 * The text with `[secret]` in place of each secret of at least four characters, as it is and in the forms in which JSON, URLs
 * and base64 (with or without padding) write it.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = new Set(secrets.filter((secret) => secret.length >= LEAST).flatMap(formsOf));
  // The longest first: a secret that is part of another must not leave the rest of that one standing.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return ordered.reduce((rest, form) => rest.replaceAll(form, SHOWN), text);
}

function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    // A lone surrogate has no form in a URL.
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams({ s: secret }).toString().slice(2),
    base64.replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
  ];
}
