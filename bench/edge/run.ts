// Hits per CPU second of an edge beside nginx proxy_cache, in the same run; prints Markdown rows.
//   node bench/edge/run.ts [seconds a round] [rounds]
// With QUARTET_CACHE_TESTS=<unpacked http-tests/cache-tests> it also prints how many conformance tests pass.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance } from './conformance.ts';
import { freePort } from '../../local/processes/ports.ts';
import { firstLine, type Load, load, start, stopAll, untilAnswers, workerOf } from './processes.ts';

const seconds = Number(process.argv[2] ?? 6);
const rounds = Number(process.argv[3] ?? 3);
/** The edge has to reach this share of nginx. */
const floor = 0.5;
const main = new URL('../../dataplane/main.ts', import.meta.url).pathname;
const originFile = new URL('origin.ts', import.meta.url).pathname;

const nginxConfig = (dir: string, port: number, originPort: string): string => `
worker_processes 1; daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  proxy_cache_path ${dir}/cache levels=1:2 keys_zone=zone:10m max_size=100m;
  ${['proxy', 'client_body', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${originPort}; proxy_cache zone; add_header X-Cache-Status $upstream_cache_status;
    }
  }
}
`;

interface Subject {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

async function startNginx(dir: string, originPort: string): Promise<Subject> {
  const port = await freePort();
  const config = join(dir, 'nginx.conf');
  await writeFile(config, nginxConfig(dir, port, originPort));
  const child = start('nginx', ['-p', dir, '-c', config]);
  const url = `http://127.0.0.1:${port}/object`;
  await untilAnswers(url);
  return { name: 'nginx proxy_cache', url, pid: await workerOf(child.pid ?? 0) };
}

async function startEdge(originPort: string): Promise<Subject> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${originPort}`;
  const child = start(process.execPath, [main, 'edge', '--listen', `127.0.0.1:${port}`, '--origin', origin]);
  const url = `http://127.0.0.1:${port}/object`;
  await untilAnswers(url);
  return { name: 'edge', url, pid: child.pid ?? 0 };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function row(name: string, loads: readonly Load[], peer: number | undefined): number {
  const perCpu = median(loads.map((one) => one.requestsPerCpuSecond));
  const micros = median(loads.map((one) => one.microseconds));
  const perSecond = median(loads.map((one) => one.requestsPerSecond));
  const ratio = peer === undefined ? '' : `${(perCpu / peer).toFixed(2)} x`;
  console.log(`| ${name} | ${Math.round(perCpu)} | ${micros.toFixed(1)} | ${Math.round(perSecond)} | ${ratio} |`);
  return perCpu;
}

async function speed(dir: string): Promise<number> {
  const originPort = await firstLine(start(process.execPath, [originFile]));
  const subjects = [await startNginx(dir, originPort), await startEdge(originPort)];
  const loads = new Map<string, Load[]>(subjects.map((subject) => [subject.name, []]));
  for (const subject of subjects) await load(subject.url, subject.pid, 2);
  // Turn by turn, so that whatever else runs on the machine meets both.
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) loads.get(subject.name)?.push(await load(subject.url, subject.pid, seconds));
  }
  console.log('| 1 KiB hit, wrk -t1 -c32 | hits per CPU second | us CPU per hit | hits per second | ratio |');
  console.log('|---|---|---|---|---|');
  const nginx = row('nginx proxy_cache', loads.get('nginx proxy_cache') ?? [], undefined);
  const edge = row('edge', loads.get('edge') ?? [], nginx);
  return edge / nginx;
}

const dir = await mkdtemp(join(tmpdir(), 'quartet-bench-edge-'));
// nginx started by root works as another user.
await chmod(dir, 0o755);
try {
  const ratio = await speed(dir);
  if (ratio < floor) {
    console.error(`edge: ${ratio.toFixed(2)} x nginx is below the floor of ${floor} x`);
    process.exitCode = 1;
  }
  const suite = process.env['QUARTET_CACHE_TESTS'];
  if (suite !== undefined) {
    console.log('\n| http-tests/cache-tests | passed | of |\n|---|---|---|');
    for (const [kind, { passed, total }] of Object.entries(await conformance(suite))) {
      console.log(`| ${kind} | ${passed} | ${total} |`);
    }
  }
} finally {
  await stopAll();
  await rm(dir, { recursive: true, force: true });
}
