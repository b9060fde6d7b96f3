/** Reports to the worker's metrics what has ended. A sink issues no command, so that histories replay, and is not called during a replay. */
import { proxySinks } from '@temporalio/workflow';
import { RUN_SINK, type RunObserver } from '../domain/run/observed.js';

/** Observes runs, in the worker that carries out the present workflow task. */
export const observer: RunObserver = proxySinks<{ [RUN_SINK]: RunObserver }>()[RUN_SINK];
