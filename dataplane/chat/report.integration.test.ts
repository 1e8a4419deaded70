import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatReport, type ChatReport } from '../../contract/heartbeat.ts';
import { chatReportSubject } from '../../contract/subjects.ts';
import { startGatewayProcess } from './testing/gateway-process.ts';
import { client, hear, startWorld, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let gateway: TestGateway;
const reports: ChatReport[] = [];

beforeAll(async () => {
  world = await startWorld();
  world.operator.nats.subscribe(chatReportSubject('test', 'gateway-1'), {
    callback: (_, message) => void reports.push(chatReport.parse(message.json())),
  });
  await world.operator.nats.flush();
  gateway = await world.gateway('gateway-1', { limits: { auditMs: 50 } });
});
afterAll(() => world.stop());

describe('a report to the operator', () => {
  it('counts who is online, the members and the messages of each room, and comes on change', async () => {
    await world.room({ name: 'counted' });
    const clients = ['ann', 'ann', 'bob'].map((user) => client(gateway.url, user));
    for (const each of clients) each.connect();
    const heard = await Promise.all(clients.map((each) => hear(each, 'counted')));
    await gateway.services.members.join('counted', 'carl', 10);
    for (let i = 0; i < 3; i++) await heard[0]!.subscription.publish({ content: 'x' });
    const expected = { online: 2, members: 3, messages: 3 };
    const last = () => reports.at(-1)?.rooms['counted'];
    await until('the report says so', () => JSON.stringify(last()) === JSON.stringify(expected));
    for (const each of clients) each.disconnect();
    await until('nobody is online', () => last()?.online === 0);
    const before = reports.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(reports.length).toBe(before);
  });
});

describe('a gateway in development mode', () => {
  it('says so loudly at its start', async () => {
    const started = await startGatewayProcess(world.nats.url, 'loud');
    expect(started.output()).toContain('DEVELOPMENT MODE');
    await started.kill('SIGTERM');
  });
});
