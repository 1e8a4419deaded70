import { execFile, execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const megabyte = Buffer.alloc(1024 * 1024, 1);

/** Whether this process may mount: only then can a disk be small enough to be filled, or be stopped. */
export const canMount = process.getuid?.() === 0 && existsSync('/dev/loop-control');

/** What is mounted ends with this process, if it ends in a way that it can notice. */
const mounted = new Set<SmallDisk>();
process.once('exit', () => mounted.forEach((disk) => disk.unmount()));

/**
 * A file system of its own, in a file: it can be filled to the last block, or be frozen, when each write hangs. One or the
 * other: this process would hang, too, and could not thaw it, if it wrote to or removed from a frozen one.
 */
export class SmallDisk {
  readonly dir: string;
  #state: 'sound' | 'full' | 'frozen' = 'sound';

  /** Makes it and mounts it at `dir`. @param megabytes its size */
  constructor(dir: string, megabytes: number) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    const image = `${dir}.ext4`;
    writeFileSync(image, '');
    truncateSync(image, megabytes * megabyte.length);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    execFileSync('mount', ['-o', 'loop', image, dir]);
    mounted.add(this);
  }

  /** Leaves no free block. False: something else is wrong with it now, and it is left as it is. */
  fill(): boolean {
    if (this.#state !== 'sound') return false;
    this.#state = 'full';
    const file = openSync(join(this.dir, 'ballast'), 'a');
    try {
      for (const size of [megabyte.length, 4096]) this.#append(file, size);
    } finally {
      closeSync(file);
    }
    return true;
  }

  #append(file: number, size: number): void {
    try {
      while (writeSync(file, megabyte, 0, size) === size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** Lets every write wait; resolves once it is so. False as for {@link fill}. */
  async freeze(): Promise<boolean> {
    if (this.#state !== 'sound') return false;
    this.#state = 'frozen';
    await promisify(execFile)('fsfreeze', ['--freeze', this.dir]);
    return true;
  }

  /** Ends what is wrong with it. */
  mend(): void {
    if (this.#state === 'frozen') execFileSync('fsfreeze', ['--unfreeze', this.dir]);
    if (this.#state === 'full') rmSync(join(this.dir, 'ballast'), { force: true });
    this.#state = 'sound';
  }

  unmount(): void {
    this.mend();
    if (mounted.delete(this)) execFileSync('umount', ['-l', this.dir]);
  }
}
