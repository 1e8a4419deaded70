import type { RequestOf } from '../../protocol/command.ts';
import { readHistory, type History } from '../../room/history.ts';
import type { Connection } from '../connection.ts';
import { memberRoom } from '../member-room.ts';
import { refusal, sent, type Outcome } from '../outcome.ts';

/** The JSON of a history result; the publications are JSON already. */
export const historyJson = ({ publications, epoch, offset }: History): string =>
  `{"publications":[${publications.map(({ json }) => json).join(',')}],"epoch":${JSON.stringify(epoch)},"offset":${offset}}`;

/** Answers with stored messages of a room. */
export const history = async (connection: Connection, id: number, request: RequestOf<'history'>): Promise<Outcome> => {
  const found = await memberRoom(connection, request.channel);
  if (!found.ok) return refusal(found.error);
  const read = await readHistory(connection.services, found.room, request);
  if (!read.ok) return refusal(read.error);
  connection.send(`{"id":${id},"history":${historyJson(read.history)}}`);
  return sent;
};
