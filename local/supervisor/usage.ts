import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process uses. */
export interface Usage {
  /** Proportional memory in bytes: what processes share (the program itself) is counted once over all of them. */
  readonly memory: number;
  /** Share of one core over the sample. */
  readonly cpu: number;
}

const ticksPerSecond = 100;

/** Fields 14 and 15 of /proc/PID/stat (proc(5)); the program's name before them may hold spaces and brackets. */
export const ticksOf = (stat: string): number => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

/** `Pss` of /proc/PID/smaps_rollup in bytes. Undefined when it is not there. */
export const proportionalMemory = (smaps: string): number | undefined => {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(smaps)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
};

const read = async (pid: number, file: string): Promise<string | undefined> => {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
};

/** Memory and CPU of processes, watched for a moment. Empty where there is no /proc. */
export const usageOf = async (pids: readonly number[], sampleMs = 500): Promise<Map<number, Usage>> => {
  const begin = performance.now();
  const first = await Promise.all(pids.map((pid) => read(pid, 'stat')));
  await sleep(sampleMs);
  const second = await Promise.all(pids.map((pid) => read(pid, 'stat')));
  const seconds = (performance.now() - begin) / 1000;
  const memory = await Promise.all(pids.map((pid) => read(pid, 'smaps_rollup')));
  const usage = new Map<number, Usage>();
  for (const [i, pid] of pids.entries()) {
    const [before, after, maps] = [first[i], second[i], memory[i]];
    if (before === undefined || after === undefined) continue;
    const cpu = (ticksOf(after) - ticksOf(before)) / ticksPerSecond / seconds;
    usage.set(pid, { memory: proportionalMemory(maps ?? '') ?? 0, cpu });
  }
  return usage;
};
