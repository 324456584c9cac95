/** The config of a repository between its value and restic's JSON. */
import { EngineError } from '../api/errors.ts';
import { asObject, countField, needId, textField } from './fields.ts';
import { damaged, parseJson } from './go-json.ts';
import type { Config } from './types.ts';

const WHAT = 'the config of the repository';

/** Fourteen hexadecimal digits whose highest bit is bit 53: the degree that the chunker works with. */
const POLYNOMIAL = /^[23][0-9a-f]{13}$/;

/**
 * The config in a config file (opened and unpacked). The chunker checks that the polynomial is irreducible.
 * Errors: 'damaged'; 'unsupported' for a version that is not 1 or 2.
 */
export function parseConfig(bytes: Uint8Array): Config {
  const o = asObject(parseJson(bytes, WHAT), WHAT);
  const version = countField(o, 'version', WHAT);
  if (version !== 1 && version !== 2) {
    throw new EngineError('unsupported', `the repository has format version ${version}; 1 and 2 can be used`);
  }
  const chunkerPolynomial = textField(o, 'chunker_polynomial', WHAT);
  if (!POLYNOMIAL.test(chunkerPolynomial)) throw damaged(WHAT, 'has an invalid chunker polynomial');
  return { version, id: needId(o, 'id', WHAT), chunkerPolynomial };
}

/** The config as restic's JSON, without a newline. */
export function serializeConfig(c: Config): Buffer {
  return Buffer.from(
    `{"version":${c.version},"id":"${c.id}","chunker_polynomial":"${c.chunkerPolynomial}"}`,
    'latin1',
  );
}
