import { role, roles, type Role } from '../contract/names.ts';
import { FabricError } from './fabric/fabric-error.ts';
import type { Pod } from './fabric/pod.ts';
import { parsePodEnv, startPod } from './fabric/start-pod.ts';

interface Service {
  start(pod: Pod): Promise<void>;
}

/** Each role's code is loaded only by the process that plays it. */
const services: Record<Role, () => Promise<Service>> = {
  edge: () => import('./edge/start.ts'),
  'edge-router': () => import('./edge/router/start.ts'),
  search: () => import('./search/member/start.ts'),
  'search-gateway': () => import('./search/gateway/start.ts'),
  'chat-gateway': () => import('./chat/start.ts'),
  db: () => import('./db/member/start.ts'),
  'db-gateway': () => import('./db/gateway/start.ts'),
  site: () => import('./edge/site/start.ts'),
};

const stopOnSignal = (pod: Pod): void => {
  const stop = (signal: string): void => {
    pod.log.info({ signal }, 'stopping');
    void pod.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
};

const main = async (argv: readonly string[]): Promise<void> => {
  const parsed = role.safeParse(argv[0]);
  if (!parsed.success) {
    throw new FabricError('bad-command', `usage: node dataplane/main.ts ROLE, with ROLE one of ${roles.join(', ')}`);
  }
  if (parsed.data === 'edge' && argv.includes('--origin')) {
    const { standalone } = await import('./edge/standalone.ts');
    await standalone(argv.slice(1));
    return;
  }
  const pod = await startPod(parsed.data, parsePodEnv(process.env));
  stopOnSignal(pod);
  const service = await services[parsed.data]();
  await service.start(pod);
  pod.log.info('serving');
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof FabricError ? error.message : String((error as Error).stack)}\n`);
  process.exit(1);
}
