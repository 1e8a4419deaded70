import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { customResourceDefinition } from './definition.ts';
import { kinds } from './kinds.ts';

const header = '# Generated from the zod schemas in crds/ by `npm run crds`. Do not edit.\n';

/**
 * In charts the same YAML is a template, not a file in `crds/`: helm never upgrades those. It stays when the chart
 * goes, since deleting a definition deletes all its resources.
 */
const kept = (yaml: string): string =>
  yaml.replace('metadata:\n', 'metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n');

/** The generated files: path from the root of the repository, and content. */
export const generatedFiles = (): Map<string, string> => {
  const files = new Map<string, string>();
  for (const kind of kinds) {
    const yaml = stringify(customResourceDefinition(kind), {
      aliasDuplicateObjects: false,
      lineWidth: 0,
      version: '1.1',
    });
    files.set(`crds/generated/${kind.plural}.yaml`, header + yaml);
    files.set(`charts/quartet-crds/templates/${kind.plural}.yaml`, header + kept(yaml));
    // the same in the chart of the operator, unless they are managed apart
    const optional = `${header}{{- if .Values.crds.install }}\n${kept(yaml)}{{- end }}\n`;
    files.set(`charts/quartet/templates/crds/${kind.plural}.yaml`, optional);
  }
  return files;
};

if (import.meta.main) {
  for (const [path, content] of generatedFiles()) {
    const file = join(import.meta.dirname, '..', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
