/** The object server in a thread of its own (`startObjectServerApart`): it answers while a test computes. */
import { parentPort } from 'node:worker_threads';
import { startObjectServer } from './object-server.ts';

parentPort!.postMessage((await startObjectServer()).filesUrl('bucket'));
