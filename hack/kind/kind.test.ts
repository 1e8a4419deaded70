import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterConfig, ports, workersWanted, zones } from './config.ts';
import { mayRaiseLimits, startTimeOf } from './docker.ts';
import { hostServices } from './host-services.ts';
import { chartValues, withImage } from './install.ts';
import { kindFits } from './kind-tools.ts';
import { chainIds, digestsOf, fullName } from './load.ts';
import { imageSource } from './registry.ts';
import { lastLine } from './run.ts';
import { workloadMissing } from './wait.ts';

describe('images are pulled only from what is a registry', () => {
  const registry = 'registry/2.0';
  test.each([
    ['asks for a login', { status: 401, api: registry }, 'registry'],
    ['answers', { status: 200, api: registry }, 'registry'],
    ['is the login page of a network', { status: 200 }, 'packages'],
    ['is a proxy that refuses', { status: 403, api: registry }, 'packages'],
    ['has no name', { error: 'getaddrinfo ENOTFOUND' }, 'packages'],
  ] as const)('what %s', (_, answer, source) => {
    expect(imageSource('', answer).source).toBe(source);
  });

  test('what was asked for decides', () => {
    expect(imageSource('packages', { status: 200, api: registry }).source).toBe('packages');
    expect(imageSource('registry', { error: 'no' }).source).toBe('registry');
  });

  test('the reason names what went wrong', () => {
    expect(imageSource('', { error: 'getaddrinfo ENOTFOUND' }).reason).toContain('ENOTFOUND');
    expect(imageSource('', { status: 502 }).reason).toContain('502');
  });
});

describe('the configuration of the cluster', () => {
  const config = parse(clusterConfig()) as {
    nodes: {
      role: string;
      labels?: Record<string, string>;
      extraPortMappings?: { hostPort: number; containerPort: number; listenAddress: string }[];
    }[];
    kubeadmConfigPatches: string[];
  };

  test('a worker in each zone', () => {
    const workers = config.nodes.filter(({ role }) => role === 'worker');
    expect(workers.map(({ labels }) => labels?.['topology.kubernetes.io/zone'])).toEqual([...zones]);
  });

  test('more workers share the zones, and only a sensible number is made', () => {
    expect(clusterConfig(5).match(/zone-b/g)).toHaveLength(2);
    expect([workersWanted(undefined), workersWanted(''), workersWanted('5')]).toEqual([3, 3, 5]);
    for (const asked of ['0', 'many', '1.5', '100']) expect(() => workersWanted(asked)).toThrow(/1 to 9/);
  });

  test('every port is open on loopback only, and a Service answers at it', () => {
    const [controlPlane] = config.nodes;
    const mapped = controlPlane?.extraPortMappings ?? [];
    expect(mapped.every(({ listenAddress }) => listenAddress === '127.0.0.1')).toBe(true);
    expect(mapped.map(({ hostPort }) => hostPort)).toEqual(Object.values(ports));
    const nodePorts = hostServices().items.map(({ spec }) => spec.ports[0]?.nodePort);
    expect(nodePorts).toEqual(mapped.map(({ containerPort }) => containerPort));
  });

  test('patches are YAML of their own', () => {
    const kinds = config.kubeadmConfigPatches.map((patch) => (parse(patch) as { kind: string }).kind);
    expect(kinds).toEqual(['ClusterConfiguration', 'KubeletConfiguration']);
  });
});

describe('Docker', () => {
  test('a start time is read past a name with spaces and parentheses', () => {
    const rest = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), '777', 'x'].join(' ');
    expect(startTimeOf(`12 (a (b) c) ${rest}`)).toBe('777');
    expect(startTimeOf('')).toBe('');
  });

  test.each([
    ['000001ffffffffff', true],
    ['000001fffeffffff', false],
    ['0', false],
  ])('bounding set %s may raise limits: %s', (set, may) => {
    expect(mayRaiseLimits(`Name:\tx\nCapBnd:\t${set}\n`)).toBe(may);
  });
});

describe('loading images', () => {
  test('a chain id names a layer and all below it', () => {
    const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
    expect(chainIds([])).toEqual([]);
    expect(chainIds([a])).toEqual([a]);
    expect(chainIds([a, b])[1]).not.toEqual(chainIds([b, a])[1]);
    expect(chainIds([a, b])).toHaveLength(2);
  });

  test.each([
    ['quartet:1', 'docker.io/library/quartet:1'],
    ['me/quartet:1', 'docker.io/me/quartet:1'],
    ['localhost:5000/quartet:1', 'localhost:5000/quartet:1'],
    ['ghcr.io/me/quartet:1', 'ghcr.io/me/quartet:1'],
  ])('containerd calls %s %s', (name, full) => {
    expect(fullName(name)).toBe(full);
  });

  test('digests by name', () => {
    const listing = 'REF TYPE DIGEST SIZE\ndocker.io/library/a:1 application/x sha256:12 3 MiB linux/amd64 -\n';
    expect(digestsOf(listing).get('docker.io/library/a:1')).toBe('sha256:12');
  });
});

describe('installing', () => {
  const image = { repository: 'quartet', tag: '0.1.0-abc' };

  test('the chart gets the image of this checkout', () => {
    expect(chartValues(image)).toContain('image.tag=0.1.0-abc');
  });

  test('samples name it too, and other images stay', () => {
    const text = '  image: quartet:0.1.0\n  image: nats:2\n';
    expect(withImage(text, image)).toBe('  image: quartet:0.1.0-abc\n  image: nats:2\n');
  });

  test.each([
    ['kind v0.30.0 go1.26 linux/amd64', true],
    ['kind v0.23.0 go1.22 linux/amd64', false],
    ['kind v1.0.0', true],
    ['', false],
  ])('kind that says %j fits: %s', (said, fits) => {
    expect(kindFits(said)).toBe(fits);
  });
});

describe('waiting', () => {
  const metadata = { name: 'x', generation: 2 };
  test.each([
    ['its spec is not seen yet', { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2 }, 'deployment/x has'],
    ['pods of the old template are ready', { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 1 }, '1 of 2'],
    ['nothing is there', {}, '0 of 2'],
    ['all are ready', { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 }, ''],
  ])('a Deployment when %s', (_, status, text) => {
    const missing = workloadMissing({ kind: 'Deployment', metadata, spec: { replicas: 2 }, status } as never);
    if (text === '') expect(missing).toBe('');
    else expect(missing).toContain(text);
  });
});

test('the last line of an error is what a person needs', () => {
  expect(lastLine('a\nError: b c\n\n')).toBe('b c');
  expect(lastLine('')).toBe('');
});
