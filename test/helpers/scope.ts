import { afterAll, afterEach } from 'vitest';
import { Temp } from './temp.ts';

/** A `Temp` for the tests of a file or a `describe`, emptied after each test. */
export function useTemp(): Temp {
  const temp = new Temp();
  afterEach(() => temp.clear());
  afterAll(() => temp[Symbol.dispose]());
  return temp;
}

/** A `Temp` for what several tests share: emptied only after the last. */
export function useSharedTemp(): Temp {
  const temp = new Temp();
  afterAll(() => temp[Symbol.dispose]());
  return temp;
}
