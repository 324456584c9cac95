import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listKeys } from '../../../src/operations/keys.ts';
import { openRepository } from '../../../src/repository/repository.ts';
import { addRecoveryKey } from '../../../src/secrets/recovery-key.ts';
import {
  asRecoveryWords,
  newRecoveryWords,
  normalizeRecoveryWords,
} from '../../../src/secrets/recovery-words.ts';
import { CHEAP_KDF, memoryRepository, PASSWORD } from '../../helpers/repo.ts';

/** From the test vectors of BIP-39: the entropy 0x7f7f…. */
const KEY = 'legal winner thank year wave sausage worth useful legal winner thank yellow';

describe('new recovery words', () => {
  it('are twelve of the list, and other ones each time', () => {
    const keys = Array.from({ length: 50 }, newRecoveryWords);
    expect(new Set(keys).size).toBe(50);
    for (const key of keys) {
      expect(key.split(' ')).toHaveLength(12);
      expect(key.split(' ').filter((word) => !wordlist.includes(word))).toEqual([]);
    }
  });

  it('are normal as they are', () => {
    for (let i = 0; i < 50; i++) {
      const key = newRecoveryWords();
      expect(normalizeRecoveryWords(key)).toBe(key);
    }
  });
});

describe('recovery words as typed', () => {
  const words = KEY.split(' ');
  it.each([
    ['capitals', KEY.toUpperCase()],
    ['spaces and lines', `\n  ${words.join('\t \n')}  `],
    ['commas', words.join(', ')],
    ['numbers', words.map((word, i) => `${i + 1}. ${word}`).join('\n')],
    ['numbers right before the words', words.map((word, i) => `${i + 1}${word}`).join(' ')],
    ['first four letters', words.map((word) => word.slice(0, 4)).join(' ')],
    ['wide letters', KEY.replaceAll('w', 'ｗ')],
  ])('with %s', (_, typed) => {
    expect(normalizeRecoveryWords(typed)).toBe(KEY);
    expect(asRecoveryWords(typed)).toBe(KEY);
  });

  it('are found by their first four letters, all of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), () => {
        const key = newRecoveryWords();
        const short = key.split(' ').map((word) => word.slice(0, 4));
        expect(normalizeRecoveryWords(short.join(' '))).toBe(key);
      }),
    );
  });

  it.each([
    ['sausagge', 'sausage'],
    ['suasage', 'sausage'],
    ['Yeear', 'year'],
    ['wor', 'word'],
    ['thaank', 'thank'],
  ])('name the word that is none, and the nearest: %s', (typed, near) => {
    const text = [typed, ...words.slice(1)].join(' ');
    expect(() => normalizeRecoveryWords(text)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `“${typed.toLowerCase()}” is no word of a recovery key. The nearest is “${near}”.`,
      }),
    );
  });

  it('are counted', () => {
    expect(() => normalizeRecoveryWords(words.slice(1).join(' '))).toThrow('12 words; these are 11.');
    expect(() => normalizeRecoveryWords('legal')).toThrow('12 words; this is 1.');
    expect(() => normalizeRecoveryWords('')).toThrow('12 words; these are 0.');
  });

  it('are proven by their checksum', () => {
    expect(() => normalizeRecoveryWords([...words].reverse().join(' '))).toThrow('no recovery key together');
    expect(asRecoveryWords([...words].reverse().join(' '))).toBeUndefined();
  });

  it('are not what a password usually is', () => {
    for (const text of ['correct horse battery staple', '', 'x'.repeat(10_000), '12345']) {
      expect(asRecoveryWords(text)).toBeUndefined();
    }
  });
});

describe('the recovery key of a repository', () => {
  it('opens it, beside the password, and can be told by its name', async () => {
    const { repository } = await memoryRepository();
    const id = await addRecoveryKey(repository, KEY.toUpperCase(), { kdf: CHEAP_KDF });
    const opened = await openRepository(repository.backend, { password: KEY });
    expect(opened.key.id).toBe(id);
    expect(opened.id).toBe(repository.id);
    expect((await openRepository(repository.backend, { password: PASSWORD })).key.id).toBe(repository.key.id);
    const keys = await listKeys(repository);
    expect(keys.map((k) => k.username).sort()).toEqual(['recovery', 'user']);
    expect(keys.find((k) => k.id === id)).toMatchObject({ hostname: 'recovery', current: false });
  });

  it('is made of nothing but recovery words', async () => {
    const { repository } = await memoryRepository();
    await expect(addRecoveryKey(repository, 'twelve words')).rejects.toMatchObject({ code: 'usage' });
    expect(await listKeys(repository)).toHaveLength(1);
  });
});
