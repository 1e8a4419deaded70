import { expect, it, test } from 'vitest';
import { parseSettings } from '../settings.ts';
import { gatewayObjects, gatewayRoles } from './plan.ts';

const settings = parseSettings({
  QUARTET_NATS_URL: 'nats://n:4222',
  QUARTET_IMAGE: 'quartet:1',
  QUARTET_CHAT_DEVELOPMENT: 'true',
});

test.each([
  ['edge-router', 8080],
  ['search-gateway', 9200],
  ['chat-gateway', 8000],
  ['db-gateway', 6379],
] as const)('the %s listens on %i behind a load balancer', (role, port) => {
  const { service, deployment, budget } = gatewayObjects(role, 'shop', settings);
  expect(service.spec).toMatchObject({ type: 'LoadBalancer', ports: [{ port, targetPort: port }] });
  expect(deployment.spec?.replicas).toBe(2);
  expect(deployment.spec?.template?.metadata?.labels).toMatchObject(service.spec?.selector ?? {});
  expect(budget.spec?.maxUnavailable).toBe(1);
});

it('takes what is secret from Secrets', () => {
  for (const role of gatewayRoles) {
    const { deployment } = gatewayObjects(role, 'shop', settings);
    const env = deployment.spec?.template?.spec?.containers?.[0]?.env ?? [];
    for (const { name, value } of env) if (/URL|SECRET|KEY/.test(name)) expect(value, name).toBeUndefined();
  }
});

it('tells chat gateways alone of the development mode', () => {
  const names = (role: (typeof gatewayRoles)[number]) =>
    gatewayObjects(role, 'shop', settings).deployment.spec?.template?.spec?.containers?.[0]?.env?.map(
      ({ name }) => name,
    );
  expect(names('chat-gateway')).toContain('QUARTET_CHAT_DEVELOPMENT');
  expect(names('db-gateway')).not.toContain('QUARTET_CHAT_DEVELOPMENT');
});
