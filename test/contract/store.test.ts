import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/util/clock.ts';
import { useSharedTemp } from '../helpers/scope.ts';
import { storeContract } from './store.ts';

const temp = useSharedTemp();
const whole = {
  clock: systemClock,
  onProblem: (sentence: string) => {
    throw new Error(sentence);
  },
};
const openCopy = (path: string) => openStore(path, whole);

storeContract('SQLite in a file', () => {
  const path = join(temp.dir(), `${randomUUID()}.db`);
  return { store: openStore(path, whole), openCopy };
});
storeContract('SQLite in memory', () => ({ store: openStore(':memory:', whole), openCopy }));
