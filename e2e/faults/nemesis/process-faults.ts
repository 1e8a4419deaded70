import type { FaultyProcess } from '../database/process.ts';
import type { Cut } from '../database/proxy.ts';
import type { Fault, Strike } from './fault.ts';

/** The primary two times out of three, else any member of the shard. */
const someMember = ({ database, random, shard }: Strike): FaultyProcess => {
  const any = random.pick(shard.members);
  return random.chance(0.66) ? (database.primary(shard) ?? any) : any;
};

export const kill: Fault = {
  name: 'kill -9 of a member',
  longestMs: 6_000,
  async strike(strike) {
    const member = someMember(strike);
    await member.kill();
    return { hit: member.name, end: () => member.revive() };
  },
};

export const killShard: Fault = {
  name: 'kill -9 of all members of a shard',
  longestMs: 2_000,
  async strike({ shard }) {
    await Promise.all(shard.members.map((member) => member.kill()));
    return { hit: shard.name, end: () => shard.members.forEach((member) => member.revive()) };
  },
};

export const pause: Fault = {
  name: 'pause of a member',
  longestMs: 6_000,
  async strike(strike) {
    const member = someMember(strike);
    member.pause();
    return { hit: member.name, end: () => member.resume() };
  },
};

export const cut: Fault = {
  name: 'cut of a member from NATS',
  longestMs: 10_000,
  async strike(strike) {
    const member = someMember(strike);
    const way = strike.random.pick<Cut>(['both', 'both', 'in', 'out']);
    member.proxy.cut(way);
    return { hit: `${member.name} (${way})`, end: () => member.proxy.cut('none') };
  },
};

/** The worst moment for a lease: a primary is cut off, and another is asked to lead at once. */
export const usurp: Fault = {
  name: 'cut of a primary, and election at once',
  longestMs: 5_000,
  async strike({ database, random, shard }) {
    const primary = database.primary(shard) ?? random.pick(shard.members);
    const rival = random.pick(shard.members.filter((member) => member !== primary));
    primary.proxy.cut('both');
    const term = database.elector.highestTerm(shard.name) + 1;
    void database.elector.ask(rival.name, { type: 'promote', term });
    return { hit: `${primary.name}, for ${rival.name}`, end: () => primary.proxy.cut('none') };
  },
};

/** A wrong suspicion: another is asked to lead while the primary is well. */
export const rival: Fault = {
  name: 'election while the primary lives',
  longestMs: 500,
  async strike({ database, random, shard }) {
    const rival = random.pick(shard.members);
    const term = database.elector.highestTerm(shard.name) + 1;
    void database.elector.ask(rival.name, { type: 'promote', term });
    return { hit: rival.name, end: () => {} };
  },
};

export const switchover: Fault = {
  name: 'planned switchover',
  longestMs: 500,
  async strike({ database, random, shard }) {
    const primary = database.primary(shard) ?? random.pick(shard.members);
    void database.elector.ask(primary.name, { type: 'step-down' });
    return { hit: primary.name, end: () => {} };
  },
};

const gatewayFault = (
  name: string,
  begin: (gateway: FaultyProcess) => Promise<void> | void,
  end: (gateway: FaultyProcess) => void,
): Fault => ({
  name,
  longestMs: 4_000,
  async strike({ database, random }) {
    const gateway = random.pick(database.gateways);
    await begin(gateway);
    return { hit: gateway.name, end: () => end(gateway) };
  },
});

export const killGateway = gatewayFault(
  'kill -9 of a gateway',
  (gateway) => gateway.kill(),
  (gateway) => gateway.revive(),
);
export const pauseGateway = gatewayFault(
  'pause of a gateway',
  (gateway) => gateway.pause(),
  (gateway) => gateway.resume(),
);
export const cutGateway = gatewayFault(
  'cut of a gateway from NATS',
  (gateway) => gateway.proxy.cut('both'),
  (gateway) => gateway.proxy.cut('none'),
);

export const clockJump: Fault = {
  name: 'clock jump of a member',
  longestMs: 8_000,
  async strike(strike) {
    const member = someMember(strike);
    const seconds = Math.round(strike.random.between(-3_600, 3_600));
    strike.database.setClock(member, seconds * 1_000);
    return { hit: `${member.name} (${seconds} s)`, end: () => strike.database.setClock(member, 0) };
  },
};

export const diskFull: Fault = {
  name: 'disk full of a member',
  longestMs: 8_000,
  possible: ({ disks }) => disks.size > 0,
  async strike({ database, shard }) {
    const member = shard.members.find(({ name }) => database.disks.has(name));
    const disk = database.disks.get(member?.name ?? '');
    if (member === undefined || disk === undefined) return { hit: 'nobody', end: () => {} };
    const term = database.elector.highestTerm(shard.name) + 1;
    // A follower with a full disk proves little.
    await database.elector.ask(member.name, { type: 'promote', term });
    disk.fill();
    return { hit: member.name, end: () => disk.free() };
  },
};

export const operatorAway: Fault = {
  name: 'operator away, and kill -9 of a primary',
  longestMs: 12_000,
  async strike({ database, random, shard }) {
    const primary = database.primary(shard) ?? random.pick(shard.members);
    database.elector.present = false;
    await primary.kill();
    return {
      hit: primary.name,
      end: () => {
        database.elector.present = true;
        primary.revive();
      },
    };
  },
};
