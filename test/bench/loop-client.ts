/** Asks one URL again and again for a time, over one connection, and posts the latencies in milliseconds. */
import { Agent, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { url, ms } = workerData as { url: string; ms: number };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const times: number[] = [];
const end = performance.now() + ms;

while (performance.now() < end) {
  const start = performance.now();
  await ask();
  times.push(performance.now() - start);
}
agent.destroy();
parentPort?.postMessage(times);

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once('end', resolve);
    }).once('error', reject);
  });
}
