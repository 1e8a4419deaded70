import { describe, expect, it } from 'vitest';
import type { Pod, Service } from '../api/objects.ts';
import { attemptsOf, routesOf, type Backend } from './endpoints.ts';

const meta = (name: string, namespace = 'default') => ({ name, namespace, uid: name, resourceVersion: '1' });
const service = (spec: Partial<Service['spec']>, name = 'web'): Service => ({
  metadata: meta(name),
  spec: { clusterIP: '127.1.0.9', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});
const backend = (address: string, rest: Partial<Backend> = {}, namespace = 'default'): Backend => {
  const container = { name: 'main', image: 'quartet', ports: [{ name: 'http', containerPort: 9000 }] };
  const pod: Pod = { metadata: { ...meta('p', namespace), labels: { app: 'web' } }, spec: { containers: [container] } };
  return { pod, address, ready: true, ...rest };
};
const targets = (routes: ReturnType<typeof routesOf>) =>
  routes.map((route) => route.targets.map(({ host, port }) => `${host}:${port}`));
const publicHost = '127.0.0.1';

describe('routes of a Service', () => {
  it('lead to its ready pods', () => {
    const backends = [backend('127.1.32.1'), backend('127.1.32.2', { ready: false }), backend('127.1.32.3')];
    const routes = routesOf([service({})], backends, publicHost);
    expect(routes.map(({ listen }) => listen)).toEqual([{ host: '127.1.0.9', port: 80 }]);
    expect(targets(routes)).toEqual([['127.1.32.1:8080', '127.1.32.3:8080']]);
  });

  it('include pods that are not ready when it says so', () => {
    const routes = routesOf(
      [service({ publishNotReadyAddresses: true })],
      [backend('127.1.32.1', { ready: false })],
      publicHost,
    );
    expect(targets(routes)).toEqual([['127.1.32.1:8080']]);
  });

  it('do not leave the namespace', () => {
    expect(targets(routesOf([service({})], [backend('127.1.32.1', {}, 'other')], publicHost))).toEqual([[]]);
  });

  it('find named ports in each pod, and the port itself where no target is said', () => {
    const ports = [{ port: 80, targetPort: 'http' }, { port: 81 }, { port: 82, targetPort: 'nope' }];
    expect(targets(routesOf([service({ ports })], [backend('127.1.32.1')], publicHost))).toEqual([
      ['127.1.32.1:9000'],
      ['127.1.32.1:81'],
      [],
    ]);
  });

  it('are also on the public address for a load balancer', () => {
    const routes = routesOf([service({ type: 'LoadBalancer' })], [], publicHost);
    expect(routes.map(({ listen }) => listen.host)).toEqual(['127.1.0.9', '127.0.0.1']);
  });

  it.each([
    ['headless', { clusterIP: 'None' }],
    ['UDP', { ports: [{ port: 53, protocol: 'UDP' }] }],
  ])('there are none: %s', (_name, spec) => {
    expect(routesOf([service(spec)], [backend('127.1.32.1')], publicHost)).toEqual([]);
  });

  it('lead nowhere without a selector', () => {
    const { selector: _selector, ...spec } = service({}).spec;
    expect(targets(routesOf([{ ...service({}), spec }], [backend('127.1.32.1')], publicHost))).toEqual([[]]);
  });
});

describe('the order in which targets are tried', () => {
  const [route] = routesOf([service({})], [backend('a'), backend('b'), backend('c')], publicHost);
  const order = (turn: number, sticky = false, client = 'x') =>
    attemptsOf({ ...route!, sticky }, turn, client)
      .map(({ host }) => host)
      .join('');

  it('begins with the next one each time, and every other follows', () => {
    expect([0, 1, 2, 3].map((turn) => order(turn))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('is the same for the same client where a Service wants that', () => {
    expect(order(1, true, '127.0.0.5')).toBe(order(2, true, '127.0.0.5'));
  });

  it('is empty when there is none', () => {
    expect(attemptsOf({ ...route!, targets: [] }, 5, 'x')).toEqual([]);
  });
});
