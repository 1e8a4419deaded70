import { MemoryLog } from './memory-log.ts';
import { messageLogSuite } from './message-log-suite.ts';

const log = new MemoryLog();
let rooms = 0;
messageLogSuite('in memory', () => ({ log, newRoom: () => `room-${rooms++}` }));
