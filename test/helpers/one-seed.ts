/**
 * In CI, properties are tried with the same inputs each time, so that what it says of a change is about that change.
 * Everywhere else they are new each time; what fails prints its seed.
 */
import process from 'node:process';

const SEED = 20_261_124;

if (process.env.CI) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
}
