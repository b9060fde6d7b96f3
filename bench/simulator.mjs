// A simulated ServiceStage in a process of its own, so that it does not share a thread with the bench.
// node bench/simulator.mjs <milliseconds that each cloud job takes> <fraction by which that varies>
import { announcement, startSimulator } from '../dist/simulator/server.js';

const [jobMs, jitter] = process.argv.slice(2).map(Number);
const actions = ['start', 'stop', 'restart', 'scale', 'rollback'];
const durationsMs = Object.fromEntries(actions.map((action) => [action, jobMs]));
console.log(JSON.stringify(announcement(await startSimulator({ world: 'empty', switches: { durationsMs, jitter } }))));
