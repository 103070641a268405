/**
 * Worker thread of an engine process. Its parent holds the other end of a pipe and never writes to it: the pipe ends
 * when the parent is gone, even killed. The main thread may be inside a computation of minutes then, so this thread ends
 * the process.
 */
import { Socket } from 'node:net';

import { lifelineFd } from './protocol.js';

const end = () => process.kill(process.pid, 'SIGKILL');
new Socket({ fd: lifelineFd, readable: true, writable: false }).on('end', end).on('error', end).resume();
