import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findAccess } from './kubeconfig.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
  vi.unstubAllEnvs();
});

const write = (user: object, cluster: object = {}): string => {
  const path = join(dir, 'config');
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a kubeconfig', () => {
  test('with a token', async () => {
    const access = findAccess(write({ token: 'secret' }));
    expect(access.server.href).toBe('https://127.0.0.1:6443/');
    expect((await access.options()).headers).toEqual({ authorization: 'Bearer secret' });
  });

  test.each([{ tokenFile: 'token' }, { 'auth-provider': { name: 'tokenFile', config: { tokenFile: 'PLACE/token' } } }])(
    'with a token in a file is read again each time: %j',
    async (user) => {
      const file = join(dir, 'token');
      const access = findAccess(write(JSON.parse(JSON.stringify(user).replace('PLACE', dir)) as object));
      for (const token of ['one', 'two\n']) {
        writeFileSync(file, token);
        expect((await access.options()).headers).toEqual({ authorization: `Bearer ${token.trim()}` });
      }
    },
  );

  test('with certificates, as data or as files beside it', async () => {
    for (const name of ['ca.crt', 'me.key']) writeFileSync(join(dir, name), name);
    const path = write(
      { 'client-certificate-data': base64('me.crt'), 'client-key': 'me.key' },
      { 'certificate-authority': 'ca.crt', 'tls-server-name': 'kube' },
    );
    const { ca, cert, key, servername } = await findAccess(path).options();
    expect([String(ca), String(cert), String(key), servername]).toEqual(['ca.crt', 'me.crt', 'me.key', 'kube']);
  });

  test('with a credential plug-in or a proxy is left to client-node', () => {
    expect(findAccess(write({ exec: { command: 'get-token' } })).ownAgent).toBe(true);
    expect(findAccess(write({ token: 'x' }, { 'proxy-url': 'http://127.0.0.1:1' })).ownAgent).toBe(true);
  });

  test.each(['no file', 'no YAML', 'no context'])('that is unusable (%s) is named in the error', (what) => {
    const path = join(dir, 'config');
    if (what === 'no YAML') writeFileSync(path, '{');
    if (what === 'no context') writeFileSync(path, '{}');
    expect(() => findAccess(path)).toThrow(
      expect.objectContaining({ code: 'unauthorized', message: expect.stringContaining(path) }),
    );
  });
});

test('in a pod the service account is used, unless KUBECONFIG says otherwise', () => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
  vi.stubEnv('KUBECONFIG', undefined);
  expect(findAccess().server.href).toBe('https://[fd00::1]/');
  vi.stubEnv('KUBECONFIG', write({ token: 'x' }));
  expect(findAccess().server.href).toBe('https://127.0.0.1:6443/');
});
