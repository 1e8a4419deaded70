import type { Logger } from 'pino';
import { controlReply, type ControlReply, type ControlRequest } from '../contract/control.ts';
import { controlSubject } from '../contract/subjects.ts';
import { OperatorError } from './operator-error.ts';

/** Sends a request on a NATS subject and resolves with the answer as text; rejects with OperatorError. */
export type SendRequest = (subject: string, payload: unknown, deadlineMs: number) => Promise<string>;

/** A pod answers within 5 s; a little more for the way. */
const deadlineMs = 5500;

/** Sends the operator's commands to pods. */
export class Commands {
  readonly #send: SendRequest;
  readonly #log: Logger;

  constructor(send: SendRequest, log: Logger) {
    this.#send = send;
    this.#log = log;
  }

  /** The pod's answer; silence and nonsense come back as `failed`. Never rejects. */
  async ask(namespace: string, pod: string, request: ControlRequest): Promise<ControlReply> {
    try {
      const text = await this.#send(controlSubject(namespace, pod), request, deadlineMs);
      const reply = controlReply.parse(JSON.parse(text));
      this.#log.info({ namespace, pod, request, reply }, 'commanded');
      return reply;
    } catch (error) {
      const message = error instanceof OperatorError ? error.message : `bad answer: ${String(error)}`;
      this.#log.warn({ namespace, pod, request, err: error }, 'a command was not answered');
      return { ok: false, code: 'failed', message };
    }
  }
}
