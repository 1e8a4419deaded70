/**
 * `make image`: builds the image and prints its name and size. BASE and SYSTEM (environment) choose other base images,
 * TAG gives it one more name.
 */
import { Progress } from '../../cli/progress.ts';
import { reasonOf } from '../../local/errors.ts';
import { ensureDocker } from '../kind/docker.ts';
import { findImageSource } from '../kind/registry.ts';
import { run } from '../kind/run.ts';
import { buildQuartetImage, imageSize, nameOf } from './build.ts';

/** Base images that the caller chose. */
const chosen = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(['BASE', 'SYSTEM'].flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

const main = async (progress: Progress): Promise<void> => {
  progress.step('docker');
  await ensureDocker((text) => progress.detail(text));
  const { source, reason } = await findImageSource();
  progress.step(`image (${reason})`);
  const name = nameOf(await buildQuartetImage(source, chosen(process.env)));
  const alias = process.env['TAG'];
  if (alias) await run('docker', ['tag', name, alias]);
  progress.done();
  console.log(`${alias || name}  ${Math.round((await imageSize(name)) / 1e6)} MB`);
};

const progress = new Progress();
try {
  await main(progress);
} catch (error) {
  progress.failed();
  console.error(`error: ${reasonOf(error)}`);
  process.exitCode = 1;
}
