import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { LocalError } from '../errors.ts';
import { freePorts, portBecomesFree, portIsFree } from '../processes/ports.ts';

/** Raise when older state directories cannot be used any more. */
const layoutVersion = 1;

const instanceSchema = z.object({
  layout: z.number(),
  /** Second octet of the instance's loopback addresses. */
  block: z.number().int().min(1).max(254),
  /** Address of load balancers. */
  publicHost: z.string(),
  nodes: z.number().int().min(1).max(26),
  natsServers: z.union([z.literal(1), z.literal(3)]),
  ports: z.object({ etcd: z.number(), etcdPeer: z.number(), apiserver: z.number(), nats: z.array(z.number()) }),
});

/** What an instance is: written once, read at every start. */
export type Instance = z.infer<typeof instanceSchema>;

/** What `up` was asked for; what is left out is as it was, or the default. */
export interface InstanceRequest {
  readonly nodes?: number | undefined;
  readonly natsServers?: 1 | 3 | undefined;
  readonly publicHost?: string | undefined;
  /** Whether this is the checkout's own instance, which publishes on 127.0.0.1. */
  readonly isDefault: boolean;
}

/** The port that the kubelet serves logs on, on each node's address. Listening on it claims the block. */
export const kubeletPort = 10250;

/** The control socket. Socket paths are short (108 bytes), so a deep state directory gets one in the temporary folder. */
export const socketPath = (stateDir: string): string => {
  const path = join(stateDir, 'control.sock');
  if (Buffer.byteLength(path) < 100) return path;
  return join(tmpdir(), `quartet-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}.sock`);
};

const remove = (stateDir: string): string =>
  `remove ${stateDir} to start afresh (its data are lost), or say --state DIR`;

/** The instance in a state directory, undefined when it is new. @throws LocalError `stale-state` */
export const readInstance = async (stateDir: string): Promise<Instance | undefined> => {
  const path = join(stateDir, 'instance.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new LocalError('stale-state', `${path} is damaged: ${remove(stateDir)}`, error);
  }
  const layout = (content as { layout?: unknown } | null)?.layout;
  if (layout !== layoutVersion) {
    const made = `${stateDir} was made by another version of Quartet (layout ${String(layout)}, this is ${layoutVersion})`;
    throw new LocalError('stale-state', `${made}: ${remove(stateDir)}`);
  }
  const parsed = instanceSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new LocalError('stale-state', `${path} is damaged: ${remove(stateDir)}`, parsed.error);
};

const blockIsFree = (block: number): Promise<boolean> => portIsFree(kubeletPort, `127.${block}.16.1`);

const chooseBlock = async (isDefault: boolean): Promise<number> => {
  if (isDefault && (await blockIsFree(100))) return 100;
  for (let tries = 0; tries < 50; tries += 1) {
    const block = 128 + Math.floor(Math.random() * 120);
    if (await blockIsFree(block)) return block;
  }
  throw new LocalError('port-busy', 'no block of loopback addresses is free: too many instances run');
};

/** The wanted port where it is free, else another. */
const settle = async (wanted: readonly number[]): Promise<number[]> => {
  const spare = await freePorts(wanted.length);
  return Promise.all(wanted.map(async (port, i) => ((await portIsFree(port)) ? port : (spare[i] ?? 0))));
};

/** What Kubernetes and NATS use by default. */
const usualPorts = (natsServers: number): Instance['ports'] => ({
  etcd: 2379,
  etcdPeer: 2380,
  apiserver: 6443,
  nats: Array.from({ length: natsServers }, (_, i) => 4222 + i),
});

const settlePorts = async (wanted: Instance['ports']): Promise<Instance['ports']> => {
  const { etcd, etcdPeer, apiserver, nats } = wanted;
  const settled = await settle([etcd, etcdPeer, apiserver, ...nats]);
  const at = (index: number): number => settled[index] ?? 0;
  return { etcd: at(0), etcdPeer: at(1), apiserver: at(2), nats: settled.slice(3) };
};

const continued = async (old: Instance, request: InstanceRequest, stateDir: string): Promise<Instance> => {
  // One is what `make up` asks for when nobody said a number: then it stays as it is.
  if (request.natsServers === 3 && old.natsServers !== 3) {
    const has = `${stateDir} has the data of a single NATS server, a cluster cannot use them`;
    throw new LocalError('invalid', `${has}: ${remove(stateDir)}`);
  }
  if (!(await portBecomesFree(kubeletPort, `127.${old.block}.16.1`))) {
    throw new LocalError(
      'port-busy',
      `addresses 127.${old.block}.0.0/16 are used by another instance: stop that first`,
    );
  }
  return {
    ...old,
    nodes: Math.max(request.nodes ?? 0, old.nodes),
    publicHost: request.publicHost ?? old.publicHost,
    ports: await settlePorts(old.ports),
  };
};

const fresh = async (request: InstanceRequest): Promise<Instance> => {
  const block = await chooseBlock(request.isDefault);
  const natsServers = request.natsServers ?? 1;
  return {
    layout: layoutVersion,
    block,
    publicHost: request.publicHost ?? (request.isDefault ? '127.0.0.1' : `127.${block}.16.254`),
    nodes: request.nodes ?? 3,
    natsServers,
    ports: await settlePorts(usualPorts(natsServers)),
  };
};

/**
 * The instance for this start: the one in the directory with what may change changed, or a new one. Written whole or not at all.
 * @throws LocalError `stale-state`, `invalid`, `port-busy`
 */
export const settleInstance = async (stateDir: string, request: InstanceRequest): Promise<Instance> => {
  const old = await readInstance(stateDir);
  const instance = old === undefined ? await fresh(request) : await continued(old, request, stateDir);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'instance.json');
  await writeFile(`${path}.new`, `${JSON.stringify(instance, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
  return instance;
};
