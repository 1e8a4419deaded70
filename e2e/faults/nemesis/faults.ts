import type { Fault } from './fault.ts';
import { moveAndKill, moveMember } from './move-fault.ts';
import * as nats from './nats-faults.ts';
import * as processes from './process-faults.ts';
import { mergeAndKill, mergeShards } from './merge-fault.ts';
import { splitAndKill, splitShard } from './split-fault.ts';

/** Every fault, by the name that the command line and the mutations use. */
export const faults = {
  kill: processes.kill,
  'kill-shard': processes.killShard,
  pause: processes.pause,
  cut: processes.cut,
  usurp: processes.usurp,
  rival: processes.rival,
  switchover: processes.switchover,
  'kill-gateway': processes.killGateway,
  'pause-gateway': processes.pauseGateway,
  'cut-gateway': processes.cutGateway,
  'clock-jump': processes.clockJump,
  'disk-full': processes.diskFull,
  'disk-stuck': processes.diskStuck,
  'operator-away': processes.operatorAway,
  split: splitShard,
  'split-kill': splitAndKill,
  merge: mergeShards,
  'merge-kill': mergeAndKill,
  move: moveMember,
  'move-kill': moveAndKill,
  'kill-log-leader': nats.killLogLeader,
  'pause-log-leader': nats.pauseLogLeader,
  'restart-nats': nats.restartAllNats,
  'nats-disk-full': nats.natsDiskFull,
  'nats-disk-stuck': nats.natsDiskStuck,
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
