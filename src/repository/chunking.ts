import { type Polynomial, parsePolynomial } from '../chunker/polynomial.ts';
import type { Config } from '../format/types.ts';

/** The polynomial by which the repository's files are cut. Error: 'damaged'. */
export function polynomialOf(config: Config): Polynomial {
  return parsePolynomial(config.chunkerPolynomial);
}
