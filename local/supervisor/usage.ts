import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process uses. */
export interface Usage {
  /** Resident memory in bytes. */
  readonly memory: number;
  /** Share of one core over the sample. */
  readonly cpu: number;
}

const pageBytes = 4096;
const ticksPerSecond = 100;

interface Sample {
  readonly ticks: number;
  readonly pages: number;
}

/** Fields 14, 15 and 24 of /proc/PID/stat (proc(5)); the program's name before them may hold spaces and brackets. */
export const parseStat = (text: string): Sample => {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { ticks: Number(fields[11]) + Number(fields[12]), pages: Number(fields[21]) };
};

const sample = async (pid: number): Promise<Sample | undefined> => {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
};

/** Memory and CPU of processes, watched for a moment. Empty where there is no /proc. */
export const usageOf = async (pids: readonly number[], sampleMs = 500): Promise<Map<number, Usage>> => {
  const begin = performance.now();
  const first = await Promise.all(pids.map(sample));
  await sleep(sampleMs);
  const second = await Promise.all(pids.map(sample));
  const seconds = (performance.now() - begin) / 1000;
  const usage = new Map<number, Usage>();
  for (const [i, pid] of pids.entries()) {
    const before = first[i];
    const after = second[i];
    if (before === undefined || after === undefined) continue;
    usage.set(pid, { memory: after.pages * pageBytes, cpu: (after.ticks - before.ticks) / ticksPerSecond / seconds });
  }
  return usage;
};
