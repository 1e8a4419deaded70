import { JetStreamApiError, type JetStreamClient, type PubAck } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { append } from './append.ts';

type Attempt = PubAck | Error;
const ack = (duplicate: boolean): PubAck => ({ stream: 's', seq: 7, duplicate, domain: '' }) as PubAck;
const apiError = (code: number, err_code: number): Error => new JetStreamApiError({ code, err_code, description: 'x' });
const named = (name: string): Error => Object.assign(new Error(name), { name });

/** A stream that answers attempts as told; the last answer repeats. */
const stream = (attempts: readonly Attempt[]) => {
  const ids: (string | undefined)[] = [];
  const publish = (_subject: string, _body: unknown, options?: { msgID?: string }): Promise<PubAck> => {
    const next = attempts[Math.min(ids.length, attempts.length - 1)];
    ids.push(options?.msgID);
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next as PubAck);
  };
  return { ids, client: { publish } as unknown as JetStreamClient };
};

const message = { subject: 's', id: 'id-1', body: '{}' };
const times = { attemptMs: 20, deadlineMs: 400 };

describe('an append', () => {
  it('whose first attempt was not answered says what the second one learns', async () => {
    const { client, ids } = stream([named('TimeoutError'), ack(true)]);
    expect(await append(client, message, times)).toEqual({ seq: 7, duplicate: true });
    expect(ids).toEqual(['id-1', 'id-1']);
  });

  it('waits for a leader', async () => {
    const { client } = stream([named('JetStreamNotEnabled'), apiError(503, 10008), apiError(400, 10158), ack(false)]);
    expect(await append(client, message, times)).toEqual({ seq: 7, duplicate: false });
  });

  it.each([
    ['was never answered', [named('TimeoutError')], 'unknown-outcome'],
    [
      'was cut off, then found no leader',
      [named('ClosedConnectionError'), named('JetStreamNotEnabled')],
      'unknown-outcome',
    ],
    ['never found a leader', [named('JetStreamNotEnabled')], 'unavailable'],
    ['is refused', [apiError(400, 10054)], 'refused'],
    ['was cut off, then is refused', [named('TimeoutError'), apiError(400, 10054)], 'unknown-outcome'],
  ] as const)('that %s ends as such', async (_, attempts, code) => {
    await expect(append(stream(attempts).client, message, times)).rejects.toMatchObject({ name: 'ChatError', code });
  });
});
