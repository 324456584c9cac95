import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BesideNames } from '../../../src/restorer/beside.ts';
import { fromText, toText } from '../../../src/util/byte-string.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

function name(of: string, label = 'restored'): string {
  return toText(new BesideNames(label).nameFor(fromText(`/no/such/folder/${of}`))).slice(
    '/no/such/folder/'.length,
  );
}

test('the label comes before the extension, if there is one', () => {
  expect(name('letter.odt')).toBe('letter (restored).odt');
  expect(name('archive.tar.gz')).toBe('archive.tar (restored).gz');
  expect(name('Makefile')).toBe('Makefile (restored)');
  expect(name('.profile')).toBe('.profile (restored)');
  expect(name('v1.a very long end of a name')).toBe('v1.a very long end of a name (restored)');
});

test('names that exist, or were given out, are not given again', () => {
  const folder = temp.dir();
  writeFileSync(join(folder, 'a (r).txt'), '');
  const names = new BesideNames('r');
  const path = fromText(join(folder, 'a.txt'));
  const given = [names.nameFor(path), names.nameFor(path)].map(toText);
  expect(given).toEqual([join(folder, 'a (r 2).txt'), join(folder, 'a (r 3).txt')]);
});

test('a name stays as short as file systems want it, and whole in its characters', () => {
  const long = name(`${'é'.repeat(125)}.txt`, 'restored 2026-01-31');
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(255);
  expect(long).toMatch(/^é+ \(restored 2026-01-31\)\.txt$/);
});
