import { describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { encodeEntry, genesis } from './entry.ts';
import { describeReplicatedLog } from './log-contract.ts';
import { calm, MemoryLog, MemoryStream, type AppendFault } from './memory-log.ts';

describeReplicatedLog('memory log', async () => {
  const stream = new MemoryStream();
  return {
    clients: [new MemoryLog(stream), new MemoryLog(stream)],
    recreate: async () => stream.recreate('memory-2'),
  };
});

describe('append under faults', () => {
  const entry = encodeEntry({ kind: 'data', term: 1, writer: 'w', time: 1, previous: genesis }, []);
  const quick = { ...systemClock, sleep: () => Promise.resolve() };
  const withFaults = (...faults: AppendFault[]) => {
    const stream = new MemoryStream();
    const append = (): AppendFault => faults.shift() ?? 'through';
    return { stream, log: new MemoryLog(stream, quick, { ...calm, append }) };
  };

  test('a lost answer is found out by reading, not by storing twice', async () => {
    const { stream, log } = withFaults('answer-lost');
    expect(await log.append(0, entry, 1000)).toEqual({ outcome: 'appended', seq: 1 });
    expect(stream.last).toBe(1);
  });

  test('a lost request is sent again', async () => {
    const { log } = withFaults('request-lost', 'not-taken', 'request-lost');
    expect(await log.append(0, entry, 1000)).toEqual({ outcome: 'appended', seq: 1 });
  });

  test('a request that comes late and one sent again store one entry', async () => {
    const { stream, log } = withFaults('late', 'late');
    expect(await log.append(0, entry, 1000)).toEqual({ outcome: 'appended', seq: 1 });
    expect(stream.last).toBe(1);
  });

  test('without any answer until the deadline the outcome is unresolved', async () => {
    const stream = new MemoryStream();
    const log = new MemoryLog(stream, systemClock, { ...calm, append: () => 'request-lost', reachable: () => false });
    expect(await log.append(0, entry, 50)).toMatchObject({ outcome: 'unresolved' });
  });

  test('full is only said when no earlier attempt can have been stored', async () => {
    const { stream, log } = withFaults();
    stream.capacity = 0;
    expect(await log.append(0, entry, 1000)).toMatchObject({ outcome: 'full' });
    const doubtful = withFaults('request-lost');
    doubtful.stream.capacity = 0;
    expect(await doubtful.log.append(0, entry, 30)).toMatchObject({ outcome: 'unresolved' });
  });
});
