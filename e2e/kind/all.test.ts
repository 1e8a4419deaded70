/**
 * The whole tier in one file, because the order matters: it starts from nothing, breaks more and more, and ends with
 * nothing. One of them alone: `vitest run --project kind -t 'drain'`; what it needs is installed then.
 */
import { afterAll } from 'vitest';
import { finishReport } from './report.ts';
import './install.ts';
import './services.ts';
import './processes-die.ts';
import './api-server-down.ts';
import './machines-die.ts';
import './drain.ts';
import './upgrade.ts';
import './scale.ts';
import './delete.ts';
import './uninstall.ts';

afterAll(finishReport);
