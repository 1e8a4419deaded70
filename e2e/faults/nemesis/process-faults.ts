import { primaryOf, type Subject } from '../database/database.ts';
import type { Cut } from '../database/proxy.ts';
import type { SmallDisk } from '../database/small-disk.ts';
import { nobody, type Fault, type Strike } from './fault.ts';

/** The primary two times out of three, else any member of the shard. */
const someMember = ({ database, random, shard }: Strike): Subject => {
  const any = random.pick(shard.members);
  return random.chance(0.66) ? (primaryOf(database, shard) ?? any) : any;
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
  needs: 'cut',
  longestMs: 10_000,
  async strike(strike) {
    const member = someMember(strike);
    const way = strike.random.pick<Cut>(['both', 'both', 'in', 'out']);
    member.cut(way);
    return { hit: `${member.name} (${way})`, end: () => member.cut('none') };
  },
};

/** The worst moment for a lease: a primary is cut off, and another is asked to lead at once. */
export const usurp: Fault = {
  name: 'cut of a primary, and election at once',
  needs: 'cut',
  longestMs: 5_000,
  async strike({ database, random, shard }) {
    const primary = primaryOf(database, shard) ?? random.pick(shard.members);
    const rival = random.pick(shard.members.filter((member) => member !== primary));
    primary.cut('both');
    const term = database.observer.highestTerm(shard.name) + 1;
    void database.observer.ask(rival.name, { type: 'promote', term });
    return { hit: `${primary.name}, for ${rival.name}`, end: () => primary.cut('none') };
  },
};

/** A wrong suspicion: another is asked to lead while the primary is well. */
export const rival: Fault = {
  name: 'election while the primary lives',
  longestMs: 500,
  async strike({ database, random, shard }) {
    const rival = random.pick(shard.members);
    const term = database.observer.highestTerm(shard.name) + 1;
    void database.observer.ask(rival.name, { type: 'promote', term });
    return { hit: rival.name, end: () => {} };
  },
};

export const switchover: Fault = {
  name: 'planned switchover',
  longestMs: 500,
  async strike({ database, random, shard }) {
    const primary = primaryOf(database, shard) ?? random.pick(shard.members);
    void database.observer.ask(primary.name, { type: 'step-down' });
    return { hit: primary.name, end: () => {} };
  },
};

const gatewayFault = (
  name: string,
  begin: (gateway: Subject) => Promise<void> | void,
  end: (gateway: Subject) => void,
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
export const cutGateway: Fault = {
  ...gatewayFault(
    'cut of a gateway from NATS',
    (gateway) => gateway.cut('both'),
    (gateway) => gateway.cut('none'),
  ),
  needs: 'cut',
};

export const clockJump: Fault = {
  name: 'clock jump of a member',
  needs: 'clock',
  longestMs: 8_000,
  async strike(strike) {
    const member = someMember(strike);
    const seconds = Math.round(strike.random.between(-3_600, 3_600));
    strike.database.setClock(member, seconds * 1_000);
    return { hit: `${member.name} (${seconds} s)`, end: () => strike.database.setClock(member, 0) };
  },
};

/** A fault of the disk of a member that was made primary before: a follower without a disk proves little. */
const diskFault = (name: string, longestMs: number, begin: (disk: SmallDisk) => Promise<boolean> | boolean): Fault => ({
  name,
  longestMs,
  needs: 'disk',
  async strike({ database, shard }) {
    const member = shard.members.find(({ name: pod }) => database.disks.has(pod));
    const disk = database.disks.get(member?.name ?? '');
    if (member === undefined || disk === undefined) return nobody;
    const term = database.observer.highestTerm(shard.name) + 1;
    await database.observer.ask(member.name, { type: 'promote', term });
    if (!(await begin(disk))) return nobody;
    return { hit: member.name, end: () => disk.mend() };
  },
});

export const diskFull = diskFault('disk full of a member', 8_000, (disk) => disk.fill());

/** Longer than a primary takes to notice that its store hangs. */
export const diskStuck = diskFault('disk of a member hangs', 14_000, (disk) => disk.freeze());

export const operatorAway: Fault = {
  name: 'operator away, and kill -9 of a primary',
  longestMs: 12_000,
  async strike({ database, random, shard }) {
    const primary = primaryOf(database, shard) ?? random.pick(shard.members);
    database.operatorAway(true);
    await primary.kill();
    return {
      hit: primary.name,
      end: () => {
        database.operatorAway(false);
        primary.revive();
      },
    };
  },
};
