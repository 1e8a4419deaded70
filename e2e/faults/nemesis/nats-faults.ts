import type { NatsServer } from '../../../local/nats-server.ts';
import type { Fault, Strike } from './fault.ts';

const someLeader = async ({ database, random, shard }: Strike): Promise<NatsServer> =>
  (await database.logLeader(shard)) ?? random.pick(database.nats.servers);

const kill = async (server: NatsServer): Promise<void> => {
  server.kill('SIGKILL');
  await server.exited;
};

export const killLogLeader: Fault = {
  name: "kill -9 of the NATS server that leads a shard's log",
  longestMs: 6_000,
  async strike(strike) {
    const server = await someLeader(strike);
    await kill(server);
    return { hit: server.name, end: () => server.start() };
  },
};

export const pauseLogLeader: Fault = {
  name: "pause of the NATS server that leads a shard's log",
  longestMs: 6_000,
  async strike(strike) {
    const server = await someLeader(strike);
    server.kill('SIGSTOP');
    return { hit: server.name, end: () => server.kill('SIGCONT') };
  },
};

export const restartAllNats: Fault = {
  name: 'kill -9 and restart of all NATS servers',
  longestMs: 1_000,
  async strike({ database }) {
    const { servers } = database.nats;
    await Promise.all(servers.map(kill));
    return {
      hit: 'all',
      end: async () => {
        await Promise.all(servers.map((server) => server.start()));
      },
    };
  },
};

/** JetStream of a server whose disk is full stays off until it is restarted, so the end of the fault restarts it. */
export const natsDiskFull: Fault = {
  name: 'disk full of a NATS server',
  longestMs: 8_000,
  possible: ({ disks }) => disks.has('nats-2'),
  async strike({ database }) {
    const [server, disk] = [database.nats.servers[2], database.disks.get('nats-2')];
    disk?.fill();
    return {
      hit: 'nats-2',
      end: async () => {
        disk?.free();
        if (server !== undefined) await kill(server);
        await server?.start();
      },
    };
  },
};
