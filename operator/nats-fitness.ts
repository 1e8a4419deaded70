import { maxPayloadBytes } from '../contract/streams.ts';

/** What a nats-server says of itself, on connecting (INFO) or to its monitor (/varz). */
export interface ServerFacts {
  readonly version: string;
  readonly jetstream?: boolean | undefined;
  /** bytes */
  readonly max_payload: number;
}

const oldest = [2, 11] as const;

/** What is wrong with a server, as an instruction; null when it will do. */
export const serverProblem = (server: ServerFacts): string | null => {
  const [major = 0, minor = 0] = server.version.split('.').map((part) => Number.parseInt(part, 10));
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    return `nats-server ${server.version} is too old: upgrade to ${oldest.join('.')} or later`;
  }
  if (server.jetstream !== true) return 'JetStream is off: start nats-server with --jetstream and a store directory';
  if (server.max_payload < maxPayloadBytes) {
    return `max_payload is ${server.max_payload}: set it to ${maxPayloadBytes} or more in the configuration of nats-server`;
  }
  return null;
};
