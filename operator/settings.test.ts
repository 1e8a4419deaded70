import { expect, it } from 'vitest';
import { parseSettings } from './settings.ts';

it('has defaults for all but NATS and the image', () => {
  const settings = parseSettings({ QUARTET_NATS_URL: 'nats://n:4222', QUARTET_IMAGE: 'quartet:1' });
  expect(settings).toMatchObject({ gatewayReplicas: 2, serviceType: 'LoadBalancer', chatDevelopment: false });
});

it('has a budget for moves, in words that people write', () => {
  const required = { QUARTET_NATS_URL: 'nats://n:4222', QUARTET_IMAGE: 'quartet:1' };
  expect(parseSettings(required).rebalance).toEqual({
    enabled: true,
    movesAtOnce: 1,
    bytesPerHour: 50 * 2 ** 30,
    pauseMs: 30_000,
    overMs: 120_000,
  });
  const wrong = { QUARTET_REBALANCE_BYTES_PER_HOUR: 'much', QUARTET_REBALANCE_PAUSE: '0s' };
  expect(() => parseSettings({ ...required, ...wrong })).toThrow(/BYTES_PER_HOUR[^]*not understood[^]*PAUSE/);
});

it('names each variable that is wrong', () => {
  const wrong = { QUARTET_NATS_URL: 'http://n', QUARTET_GATEWAY_REPLICAS: 'many' };
  expect(() => parseSettings(wrong)).toThrow(/QUARTET_NATS_URL[^]*QUARTET_IMAGE[^]*QUARTET_GATEWAY_REPLICAS/);
});
