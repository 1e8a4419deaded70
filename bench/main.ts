/**
 * Runs the benches one after another, each Quartet service beside its peers, and prints their tables.
 * `node bench/main.ts [name...]`; what a bench needs on PATH is in its own file.
 */
import { spawn } from 'node:child_process';

const benches: Readonly<Record<string, readonly string[]>> = {
  edge: ['bench/edge/run.ts'],
  search: ['bench/search/run.ts'],
  chat: ['bench/chat/run.ts'],
  db: ['bench/db/durable.ts'],
  etcd: ['bench/db/beside-etcd.ts'],
  backup: ['bench/db/backup.ts'],
  log: ['bench/log/bench.ts'],
  operator: ['bench/operator/main.ts'],
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(', ')}: there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

const failed: string[] = [];
for (const name of wanted) {
  console.log(`\n## ${name}: node ${(benches[name] ?? []).join(' ')}\n`);
  const code = await new Promise((resolve) => {
    spawn(process.execPath, [...(benches[name] ?? [])], { stdio: 'inherit' }).once('close', resolve);
  });
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
