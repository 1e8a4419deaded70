/** A path that a container thinks it has, and the directory that is there instead. */
export interface Mount {
  readonly mountPath: string;
  readonly directory: string;
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/**
 * A process without a container has no mounts: where a mount path stands in an argument or a variable, alone, with a path
 * below it, or after a separator (`--dir=/data/x`, `a:/data`), the real directory is put there. `/database` and
 * `http://host/data` are not the mount `/data` and stay. The longest mount path wins.
 */
export const withRealPaths = (text: string, mounts: readonly Mount[]): string => {
  if (mounts.length === 0) return text;
  const byPath = new Map(mounts.map((mount) => [mount.mountPath.replace(/\/+$/, ''), mount.directory]));
  const paths = [...byPath.keys()].filter((path) => path !== '').sort((a, b) => b.length - a.length);
  if (paths.length === 0) return text;
  const pattern = new RegExp(String.raw`(?<![\w./-])(${paths.map(escape).join('|')})(?![\w.-])`, 'g');
  return text.replaceAll(pattern, (path) => byPath.get(path) ?? path);
};
