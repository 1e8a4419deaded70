/**
 * Shows that the fault test finds defects: `node e2e/faults/mutations/main.ts [--minutes 1] [--runs 3] [--only TEXT]`.
 * Copies the sources, puts each defect into the copy, and runs the fault test there until it turns red. Exits 1 when a
 * defect is not found, or when the sources without a defect are found bad.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { mutations, type Mutation, type Replacement } from './mutations.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const root = resolve(import.meta.dirname, '..', '..', '..');
const folders = ['contract', 'dataplane', 'local', 'hack', 'e2e', 'package.json'];
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const replace = (tree: string, { file, from, to }: Replacement): void => {
  const path = join(tree, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) {
    throw new Error(`${file} has changed: it does not hold exactly once:\n${from}\nWrite the mutation anew.`);
  }
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
};

const copy = (mutation: Mutation): string => {
  const tree = mkdtempSync(join(tmpdir(), 'quartet-mutation-'));
  for (const folder of folders) cpSync(join(root, folder), join(tree, folder), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const replacement of mutation.replacements) replace(tree, replacement);
  return tree;
};

/** What the fault test printed, and its exit code: 1 when it found anomalies. */
const runOnce = async (tree: string, mutation: Mutation, seed: string): Promise<{ code: number; out: string }> => {
  const args = [
    '--minutes',
    values.minutes,
    '--seed',
    seed,
    '--faults',
    mutation.faults.join(','),
    '--dir',
    join(tree, 'run'),
  ];
  const child = spawn(process.execPath, [join(tree, 'e2e', 'faults', 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('close', (code) => resolve(code ?? 2));
  const code = await promise;
  rmSync(join(tree, 'run'), { recursive: true, force: true });
  return { code, out };
};

/** The part of a report that tells: verdicts, and the first anomalies. */
const verdicts = (out: string): string =>
  out
    .split('\n')
    .filter((line) => /good|BAD|: (G\d|lost|phantom|gone|fork|not linear|bank|internal|incompatible)/.test(line))
    .slice(0, 12)
    .map((line) => `    ${line.slice(0, 160)}`)
    .join('\n');

/** Whether the test judged a mutation as it should. */
const examine = async (mutation: Mutation): Promise<boolean> => {
  const tree = copy(mutation);
  const defect = mutation.replacements.length > 0;
  print(`\n${mutation.name}`);
  try {
    for (let number = 1; number <= (defect ? Number(values.runs) : 1); number++) {
      const { code, out } = await runOnce(tree, mutation, `mutation ${number}`);
      print(`  run ${number}: ${['good', 'BAD'][code] ?? 'not judged'}\n${verdicts(out)}`);
      if (code === 1 || !defect) return (code === 1) === defect && code < 2;
    }
    return false;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
};

const wrong: string[] = [];
for (const mutation of mutations.filter(({ name }) => name.includes(values.only))) {
  if (!(await examine(mutation))) wrong.push(mutation.name);
}
print(wrong.length === 0 ? '\nall judged as they should be' : `\nNOT judged as they should be: ${wrong.join('; ')}`);
process.exit(wrong.length === 0 ? 0 : 1);
