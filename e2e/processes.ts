import { globSync, readFileSync } from 'node:fs';

/** A process whose command line names the program and the state directory. */
export interface Found {
  readonly pid: number;
  readonly command: string;
}

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
};

const environment = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};

/** Every process that has the directory in its command line or its environment, this one's own family excepted. */
export const processesOf = (stateDir: string): Found[] =>
  globSync('/proc/[0-9]*')
    .map((path) => path.slice('/proc/'.length))
    .filter((pid) => Number(pid) !== process.pid)
    .map((pid) => ({ pid: Number(pid), command: commandLine(String(pid)), environment: environment(String(pid)) }))
    .filter((it) => it.command !== '' && (it.command.includes(stateDir) || it.environment.includes(stateDir)))
    .map(({ pid, command }) => ({ pid, command }));

/** Sends SIGKILL to each process of this Quartet whose command line has the word; returns how many. */
export const killProcesses = (stateDir: string, word: string): number => {
  const found = processesOf(stateDir).filter((it) => it.command.includes(word));
  for (const { pid } of found) process.kill(pid, 'SIGKILL');
  return found.length;
};
