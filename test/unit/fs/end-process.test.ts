import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../helpers/process.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const file = join(import.meta.dirname, '../../../src/fs/end-process.ts');

/** Runs a program that ends with 7. `coverage`: what Node writes in the last part of its own end. */
async function ended(end: string) {
  const coverage = temp.dir('coverage');
  const script = `
    import { endProcess } from ${JSON.stringify(file)};
    process.on('exit', (code) => process.stdout.write('heard ' + code));
    ${end}(7);`;
  const args = ['--input-type=module', '--eval', script];
  const { code, stdout } = await run(process.execPath, args, { env: { NODE_V8_COVERAGE: coverage } });
  return { code, heard: stdout.toString(), coverage: readdirSync(coverage).length };
}

describe('the end of the process', () => {
  it('has its code, is heard, and waits for nothing that Node does after that', async () => {
    expect(await ended('process.exit')).toEqual({ code: 7, heard: 'heard 7', coverage: 1 });
    const unheard = process.platform === 'win32' ? 1 : 0;
    expect(await ended('endProcess')).toEqual({ code: 7, heard: 'heard 7', coverage: unheard });
  });
});
