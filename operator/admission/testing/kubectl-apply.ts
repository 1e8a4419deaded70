import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tool } from '../../../local/tools.ts';
import { invalidResources, type InvalidResource } from './invalid-resources.ts';

/** What kubectl said to one invalid resource; an empty message: it was accepted. */
export interface Refusal extends InvalidResource {
  readonly message: string;
}

const nameOf = ({ name }: InvalidResource, index: number): string =>
  name ?? `bad-${String(index + 1).padStart(2, '0')}`;

const manifestOf = (one: InvalidResource, index: number): object => ({
  apiVersion: 'quartet.dev/v1alpha1',
  kind: one.kind,
  metadata: { name: nameOf(one, index) },
  spec: one.spec,
});

/** kubectl ends with code 1 when anything was refused: what it wrote is the result. */
const run = (program: string, args: readonly string[], cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk) => (text += String(chunk)));
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });

/** A message begins with the resource's name, or with the name of its file. */
const messagesByName = (text: string): Map<string, string> => {
  const found = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.trimEnd().split('\n')) {
    const name = /^The \w+ "([^"]+)" is invalid/.exec(line)?.[1] ?? /^Error.*"([^"]+)\.json"/.exec(line)?.[1];
    current = name ?? current;
    if (current !== undefined) found.set(current, name === undefined ? `${found.get(current) ?? ''}\n${line}` : line);
  }
  return found;
};

/** Applies all invalid resources with one kubectl, each in a file of its own. */
export const applyInvalid = async (kubeconfig: string, dir: string): Promise<Refusal[]> => {
  const folder = join(dir, 'invalid');
  await mkdir(folder);
  for (const [index, one] of invalidResources.entries()) {
    await writeFile(join(folder, `${nameOf(one, index)}.json`), JSON.stringify(manifestOf(one, index)));
  }
  const kubectl = await tool('kubectl');
  const text = await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '-f', '.'], folder);
  const messages = messagesByName(text);
  return invalidResources.map((one, index) => ({ ...one, message: messages.get(nameOf(one, index)) ?? '' }));
};

const shorten = (text: string): string => text.replaceAll(/(.)\1{60,}/g, '$1$1$1…');

/** The refusals as a page. */
export const showRefusals = (refusals: readonly Refusal[]): string => {
  const parts = refusals.map(
    ({ title, kind, spec, name, message }) =>
      `## ${kind}: ${title}\n\n\`\`\`yaml\n${name === undefined ? '' : `name: ${shorten(name)}, `}spec: ${shorten(JSON.stringify(spec))}\n\`\`\`\n\n\`\`\`text\n${shorten(message)}\n\`\`\`\n`,
  );
  const head = `# Invalid resources\n\nWhat \`kubectl apply\` says to ${refusals.length} resources that are refused. The page is written and checked by\n\`operator/admission/admission.integration.test.ts\` with a real API server.\n`;
  return [head, ...parts].join('\n');
};
