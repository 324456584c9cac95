/** What every place for secrets must do: one suite, run against each. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Secrets } from '../../src/secrets/secrets.ts';

export interface SecretsSubject {
  readonly secrets: Secrets;
  /** The same place, opened anew; undefined where nothing outlives the process. */
  readonly reopen?: () => Promise<Secrets>;
}

const HOSTILE = ['__proto__', 'constructor', 'repository:a\nb', 'ключ 🔑', ' ', '"', '../../etc/passwd'];

export function secretsContract(name: string, factory: () => Promise<SecretsSubject>): void {
  describe(`secrets contract: ${name}`, () => {
    let subject: SecretsSubject;
    let secrets: Secrets;
    beforeEach(async () => {
      subject = await factory();
      secrets = subject.secrets;
    });
    /** As the next start sees it. */
    const later = async (): Promise<Secrets> => (await subject.reopen?.()) ?? secrets;

    it('holds nothing at first', async () => {
      expect(await secrets.names()).toEqual([]);
      expect(await secrets.get('repository:1')).toBeUndefined();
    });

    it('gives back what was set, also later', async () => {
      await secrets.set('repository:1', 'one');
      await secrets.set('channel:2', 'two');
      for (const view of [secrets, await later()]) {
        expect(await view.get('repository:1')).toBe('one');
        expect(await view.get('channel:2')).toBe('two');
        expect(await view.names()).toEqual(['channel:2', 'repository:1']);
      }
    });

    it('replaces', async () => {
      await secrets.set('web:password', 'old');
      await secrets.set('web:password', 'new');
      expect(await (await later()).get('web:password')).toBe('new');
      expect(await secrets.names()).toEqual(['web:password']);
    });

    it('removes, also what is not there', async () => {
      await secrets.set('a', '1');
      await secrets.set('b', '2');
      await secrets.remove('a');
      await secrets.remove('a');
      await secrets.remove('never there');
      expect(await secrets.get('a')).toBeUndefined();
      expect(await (await later()).names()).toEqual(['b']);
    });

    it('keeps any value as it is', async () => {
      const values = ['', ' spaces ', 'línea\nnueva\0', '🔑'.repeat(100), '{"a":1}', 'x'.repeat(100_000)];
      for (const [i, value] of values.entries()) await secrets.set(`v${i}`, value);
      const view = await later();
      for (const [i, value] of values.entries()) expect(await view.get(`v${i}`)).toBe(value);
    });

    it('takes any name', async () => {
      for (const name of HOSTILE) expect(await secrets.get(name)).toBeUndefined();
      for (const name of HOSTILE) await secrets.set(name, `value of ${name}`);
      const view = await later();
      for (const name of HOSTILE) expect(await view.get(name)).toBe(`value of ${name}`);
      expect([...(await view.names())].sort()).toEqual([...HOSTILE].sort());
    });

    it('loses nothing when many write at once', async () => {
      const other = await later();
      const numbers = Array.from({ length: 20 }, (_, i) => i);
      await Promise.all(numbers.map((i) => (i % 2 ? secrets : other).set(`n${i}`, `${i}`)));
      await Promise.all([secrets.remove('n0'), other.remove('n1'), secrets.set('n2', 'again')]);
      const view = await later();
      expect(await view.names()).toHaveLength(18);
      expect(await view.get('n2')).toBe('again');
      expect(await view.get('n19')).toBe('19');
    });
  });
}
