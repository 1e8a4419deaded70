/**
 * What `helm test` runs, in a pod of the operator's image: `node operator/check-installation.ts <deployment>`. Says what
 * works and what does not, and ends with 1 when anything does not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { chatRooms, dbBackups, dbShards, edgeNodes, searchShards } from './kinds.ts';
import { NatsLink } from './nats-link.ts';
import { deployments, leases } from './runtime/builtin.ts';
import { connectKube } from './runtime/connection.ts';
import { readServers } from './nats-monitors.ts';
import { judgeServers } from './nats-servers.ts';
import { parseSettings } from './settings.ts';

const patienceMs = 60_000;
const retryMs = 1_000;

/** Resolves with what is right, as text; throws an Error that says what is not. */
type Check = () => Promise<string>;

// the image is of no matter here
const settings = parseSettings({ QUARTET_IMAGE: 'quartet', ...process.env });
const [, , deployment = 'quartet-operator'] = process.argv;
const { namespace } = settings;
const kube = connectKube();
const link = new NatsLink(settings.nats, pino({ level: 'silent' }));
void link.start().catch(() => {});

const checks: Readonly<Record<string, Check>> = {
  async definitions() {
    const page = { namespace, limit: 1 };
    await Promise.all([
      kube.list(edgeNodes, page),
      kube.list(searchShards, page),
      kube.list(chatRooms, page),
      kube.list(dbShards, page),
      kube.list(dbBackups, page),
    ]);
    return 'all kinds are served';
  },
  async operator() {
    const { spec, status } = await kube.get(deployments, { namespace, name: deployment });
    const [ready, wanted] = [status?.readyReplicas ?? 0, spec?.replicas ?? 0];
    if (ready < wanted) throw new Error(`${ready} of ${wanted} operators are ready`);
    return `${ready} of ${wanted} operators are ready`;
  },
  async lease() {
    const { spec } = await kube.get(leases, { namespace, name: 'quartet-operator' });
    if (!spec?.holderIdentity) throw new Error('no operator holds the lease');
    return `${spec.holderIdentity} leads`;
  },
  async disks() {
    const monitors = settings.nats.monitors ?? [];
    const { durability, unfit } = judgeServers(await readServers(monitors));
    if (unfit !== null) throw new Error(unfit);
    switch (durability.state) {
      case 'always':
        return `all ${monitors.length} servers of NATS write before they acknowledge`;
      case 'unasked':
        throw new Error(`not all monitors answer: ${monitors.join(', ')}`);
      case 'lax':
        throw new Error(durability.problem);
      default:
        // nothing was asked, since no monitor is known
        return durability.problem;
    }
  },
  async messaging() {
    if (link.state.state !== 'ok') throw new Error(link.state.problem);
    const { streams } = await link.manager().getAccountInfo();
    return `NATS ${link.connection?.info?.version} answers, with ${streams} streams`;
  },
};

/** Tries for a minute: an installation takes its time. */
const settle = async (name: string, check: Check): Promise<boolean> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      process.stdout.write(`ok      ${name}: ${await check()}\n`);
      return true;
    } catch (error) {
      if (performance.now() > deadline) {
        process.stdout.write(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
        return false;
      }
    }
    await sleep(retryMs * (0.75 + Math.random() / 2));
  }
};

const outcomes = await Promise.all(Object.entries(checks).map(([name, check]) => settle(name, check)));
await link.stop();
process.exit(outcomes.every(Boolean) ? 0 : 1);
