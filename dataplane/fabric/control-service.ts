import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { controlRequest, type ControlReply, type ControlRequest } from '../../contract/control.ts';
import { controlSubject } from '../../contract/subjects.ts';

/** Carries out one command of the operator. */
export type ControlHandler = (request: ControlRequest) => Promise<ControlReply>;

const failed = (message: string): ControlReply => ({ ok: false, code: 'failed', message });

/** Answers the operator's commands to this pod with the handler that was set; before that, `unsupported`. */
export class ControlService {
  readonly #log: Logger;
  #handler: ControlHandler = async () => ({ ok: false, code: 'unsupported', message: 'this role takes no commands' });

  constructor(nats: NatsConnection, namespace: string, pod: string, log: Logger) {
    this.#log = log;
    nats.subscribe(controlSubject(namespace, pod), {
      callback: (error, message) => {
        if (error) return;
        // The operator asks whether this pod is there.
        if (message.data.length === 0) return void message.respond();
        void this.#answer(message.string()).then((reply) => message.respond(JSON.stringify(reply)));
      },
    });
  }

  /** Sets what carries out commands. */
  handle(handler: ControlHandler): void {
    this.#handler = handler;
  }

  async #answer(payload: string): Promise<ControlReply> {
    try {
      const request = controlRequest.parse(JSON.parse(payload));
      this.#log.info({ request }, 'the operator commands');
      return await this.#handler(request);
    } catch (error) {
      this.#log.warn({ err: error }, 'a command of the operator failed');
      return failed(error instanceof Error ? error.message : String(error));
    }
  }
}
