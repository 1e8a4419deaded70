/** A gateway, as a member sees it. */
export interface Requester {
  /** Epoch of its newest batch. */
  epoch: number;
  /** Requests of this epoch and earlier ones are refused: one of them was refused, and their order matters. */
  refusedEpoch: number;
  /** Sends a message of answers. Never throws. */
  send(message: Buffer): void;
}
