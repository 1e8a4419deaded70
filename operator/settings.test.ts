import { expect, it } from 'vitest';
import { parseSettings } from './settings.ts';

it('has defaults for all but NATS and the image', () => {
  const settings = parseSettings({ QUARTET_NATS_URL: 'nats://n:4222', QUARTET_IMAGE: 'quartet:1' });
  expect(settings).toMatchObject({ gatewayReplicas: 2, serviceType: 'LoadBalancer', chatDevelopment: false });
});

it('names each variable that is wrong', () => {
  const wrong = { QUARTET_NATS_URL: 'http://n', QUARTET_GATEWAY_REPLICAS: 'many' };
  expect(() => parseSettings(wrong)).toThrow(/QUARTET_NATS_URL[^]*QUARTET_IMAGE[^]*QUARTET_GATEWAY_REPLICAS/);
});
