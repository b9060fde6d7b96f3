/** The built worker in a process two of whose four threads wait for a writer of a named pipe, as they would for a network file system. */
import { open } from 'node:fs/promises';
import { main } from '../../dist/worker.js';

for (let thread = 0; thread < 2; thread++) void open(process.env.PIPE, 'r');
process.exitCode = await main(process.env);
