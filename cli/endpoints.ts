import type { Overview } from '../local/supervisor/control.ts';
import type { CommandLine } from './arguments.ts';
import { table } from './table.ts';

/** Where each service is reached, with a command that shows it. Pure. */
export const endpointTable = ({ publicHost: host }: Overview, line: CommandLine): string => {
  const state = line.isDefaultState ? '' : `--state ${line.stateDir} `;
  return table(
    ['SERVICE', 'ENDPOINT', 'TRY'],
    [
      ['content', `http://${host}:8080`, `curl -i http://${host}:8080/ -H 'X-Client-Location: 50.11,8.68'`],
      ['search', `http://${host}:9200`, `curl 'http://${host}:9200/_cat/indices?v'`],
      ['chat', `ws://${host}:8000/connection/websocket`, `npm package centrifuge, channel room:lobby`],
      ['database', `redis://${host}:6379`, `redis-cli -h ${host} set greeting hello`],
      [
        'Kubernetes',
        'real, without containers',
        `./quartet ${state}kubectl get edgenodes,searchshards,chatrooms,dbshards,pods`,
      ],
    ],
  );
};
