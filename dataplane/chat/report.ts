import type { ChatReport } from '../../contract/heartbeat.ts';
import { chatReportSubject } from '../../contract/subjects.ts';
import type { Pod } from '../fabric/pod.ts';
import type { Services } from './services.ts';
import type { Audit } from './store/audit.ts';

/** What this gateway knows of its rooms. */
export const makeReport = (pod: string, services: Services, audit: Audit): ChatReport => ({
  pod,
  rooms: Object.fromEntries(
    services.rooms().map(({ name }) => [
      name,
      {
        online: services.sessions.usersIn(name).size,
        members: services.members.count(name),
        messages: audit.messages(name),
      },
    ]),
  ),
});

/** A report is repeated after this time even when nothing changed: an operator that was away hears it. */
const repeatMs = 10_000;

/** Sends the report when it changed. Returns what to call every now and then. */
export const reporter = (pod: Pod, services: Services, audit: Audit): (() => void) => {
  const name = pod.env.QUARTET_POD;
  const subject = chatReportSubject(pod.env.QUARTET_NAMESPACE, name);
  let last = '';
  let sentAt = -Infinity;
  return () => {
    const report = JSON.stringify(makeReport(name, services, audit));
    const now = performance.now();
    if (report === last && now - sentAt < repeatMs) return;
    last = report;
    sentAt = now;
    pod.nats.publish(subject, report);
  };
};
