/**
 * Checks that imports point down the list of the design: `node hack/check-imports.ts` prints each one that does not
 * and exits 1. Tests may use `local/` and `dataplane/fabric/testing.ts` besides.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What the files of a folder may import from other folders of the repository; the longest match rules. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  crds: [],
  contract: [],
  'operator/runtime': [],
  operator: ['crds', 'contract'],
  'dataplane/fabric': ['contract'],
  'dataplane/log': ['contract', 'dataplane/fabric'],
  'dataplane/replica': ['contract', 'dataplane/fabric', 'dataplane/log'],
  'dataplane/edge': ['contract', 'dataplane/fabric'],
  'dataplane/chat': ['contract', 'dataplane/fabric'],
  'dataplane/search': ['contract', 'dataplane/fabric', 'dataplane/log', 'dataplane/replica'],
  'dataplane/db': ['contract', 'dataplane/fabric', 'dataplane/log', 'dataplane/replica'],
  dataplane: ['contract', 'dataplane'],
  local: ['contract'],
  cli: ['local', 'contract', 'crds', 'hack/tools'],
};
const everywhere = ['bench', 'e2e', 'hack'];

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

const folderOf = (file: string): string | undefined =>
  Object.keys(allowed)
    .filter((folder) => within(file, folder))
    .toSorted((a, b) => b.length - a.length)[0];

const isTest = (file: string): boolean => file.endsWith('.test.ts') || /(^|\/)test(ing)?(\/|\.ts$)/.test(file);

const mayImport = (file: string, target: string): boolean => {
  const folder = folderOf(file);
  if (folder === undefined || within(target, folder)) return true;
  // operator/ may import operator/runtime, never the other way round; the same for dataplane/main.ts
  if (folder === 'operator' && within(target, 'operator')) return true;
  if (isTest(file) && (within(target, 'local') || within(target, 'dataplane/fabric'))) return true;
  return (allowed[folder] ?? []).some((other) => within(target, other));
};

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1] ?? '')),
  );

const forbiddenNames = /(^|\/)(utils?|common|helpers?|misc|types)(\.ts|\/|$)/;

const problems: string[] = [];
for (const file of globSync('{crds,contract,operator,dataplane,local,cli,hack,e2e,bench}/**/*.ts')) {
  if (file.includes('node_modules')) continue;
  if (forbiddenNames.test(file)) problems.push(`${file}: a name that says nothing`);
  if (everywhere.some((folder) => within(file, folder))) continue;
  for (const target of importsOf(file)) {
    if (!mayImport(file, target)) problems.push(`${file}: may not import ${target}`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
