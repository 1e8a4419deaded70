import { expect, it } from 'vitest';
import { chartValues } from './install.ts';

it('gives helm a list of NATS servers as one value', () => {
  const values = chartValues({
    pid: 1,
    state: 'running',
    step: '',
    kubeconfig: '',
    natsUrl: 'nats://a,nats://b',
    natsServers: 3,
    natsMonitors: ['http://a:1', 'http://b:2'],
    publicHost: '127.0.0.1',
  });
  expect(values).toContain(String.raw`nats.external.url=nats://a\,nats://b`);
  expect(values).toContain('nats.external.replicas=3');
  expect(values).toContain('nats.external.monitors[1]=http://b:2');
});
