import type { LogServer } from '../database/database.ts';
import { nobody, type Fault, type Strike } from './fault.ts';

const someLeader = async ({ database, random, shard }: Strike): Promise<LogServer> =>
  (await database.logLeader(shard)) ?? random.pick(database.servers);

export const killLogLeader: Fault = {
  name: "kill -9 of the NATS server that leads a shard's log",
  longestMs: 6_000,
  async strike(strike) {
    const server = await someLeader(strike);
    await server.kill();
    return { hit: server.name, end: () => server.start() };
  },
};

export const pauseLogLeader: Fault = {
  name: "pause of the NATS server that leads a shard's log",
  longestMs: 6_000,
  async strike(strike) {
    const server = await someLeader(strike);
    server.pause();
    return { hit: server.name, end: () => server.resume() };
  },
};

export const restartAllNats: Fault = {
  name: 'kill -9 and restart of all NATS servers',
  longestMs: 1_000,
  async strike({ database: { servers } }) {
    await Promise.all(servers.map((server) => server.kill()));
    return {
      hit: 'all',
      end: async () => {
        await Promise.all(servers.map((server) => server.start()));
      },
    };
  },
};

/** The server that has a disk of its own. */
const serverWithDisk = ({ servers, disks }: Strike['database']) => {
  const server = servers.find(({ name }) => disks.has(name));
  return { server, disk: disks.get(server?.name ?? '') };
};

/** JetStream of a server whose disk is full stays off until it is restarted, so the end of the fault restarts it. */
export const natsDiskFull: Fault = {
  name: 'disk full of a NATS server',
  longestMs: 8_000,
  needs: 'disk',
  async strike({ database }) {
    const { server, disk } = serverWithDisk(database);
    if (!server || !disk?.fill()) return nobody;
    return {
      hit: server.name,
      end: async () => {
        disk.mend();
        await server.kill();
        await server.start();
      },
    };
  },
};

/** Its raft groups can neither write nor be told from those that do: until others take over the logs that it leads. */
export const natsDiskStuck: Fault = {
  name: 'disk of a NATS server hangs',
  longestMs: 14_000,
  needs: 'disk',
  async strike({ database }) {
    const { server, disk } = serverWithDisk(database);
    if (!server || !(await disk?.freeze())) return nobody;
    return { hit: server.name, end: () => disk?.mend() };
  },
};
