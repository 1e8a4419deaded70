import { chatPartition, chatStream, chatSubject } from '../../../contract/subjects.ts';

/** Where a room's messages are. */
export interface RoomAddress {
  readonly room: string;
  readonly partition: number;
  readonly stream: string;
  readonly subject: string;
}

/** The stream and subject of a room. */
export const addressOf = (namespace: string, room: string): RoomAddress => {
  const partition = chatPartition(room);
  return {
    room,
    partition,
    stream: chatStream(namespace, partition),
    subject: chatSubject(namespace, partition, room),
  };
};
