import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 * The pod of the integration tests: says who it is and what it has.
 *   GET /        name, node, environment and arguments as JSON
 *   GET /lines   the lines of `lines.txt` in DATA_DIR, one per start of the process
 *   GET /exit    ends with code 3
 */
const started = new Date().toISOString();
const dataDir = process.env['DATA_DIR'];
const lines = dataDir === undefined ? undefined : join(dataDir, 'lines.txt');
if (lines !== undefined) appendFileSync(lines, `${started}\n`);

const read = (): string => (lines !== undefined && existsSync(lines) ? readFileSync(lines, 'utf8') : '');

const server = createServer((request, response) => {
  if (request.url === '/exit') process.exit(3);
  if (request.url === '/lines') response.end(read());
  else response.end(JSON.stringify({ pid: process.pid, started, args: process.argv.slice(2), env: process.env }));
});
server.listen(Number(process.env['PORT'] ?? 8080), process.env['POD_IP'] ?? '127.0.0.1', () => {
  process.stdout.write(`echo-server listens since ${started}\n`);
});
process.on('SIGTERM', () => process.exit(0));
