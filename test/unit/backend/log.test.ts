import { expect, it } from 'vitest';
import { type CallRecord, log } from '../../../src/backend/log.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { fakeClock, named } from './support.ts';

it('tells of each call and counts', async () => {
  const records: CallRecord[] = [];
  const wrap = log({ sink: (r) => records.push(r), clock: fakeClock() });
  const backend = wrap(createMemory());
  const { h, data } = named('pack', 'seven b');
  await expect(backend.load(h)).rejects.toMatchObject({ code: 'not-found' });
  await backend.save(h, data);
  await backend.load(h, { offset: 2, length: 3 });
  for await (const _ of backend.list('pack'));
  const call = { type: 'pack', name: h.name, ms: 0 };
  expect(records).toEqual([
    { ...call, operation: 'load', bytes: 0, error: 'not-found' },
    { ...call, operation: 'save', bytes: 7 },
    { ...call, operation: 'load', bytes: 3 },
    { ...call, operation: 'list', name: '', bytes: 0 },
  ]);
  expect(wrap.counts()).toEqual({
    calls: { save: 1, load: 2, stat: 0, list: 1, remove: 0 },
    failed: 1,
    bytesSent: 7,
    bytesReceived: 3,
  });
});
