/**
 * Thousands of connections with requests that never come in, on every route of a real server and beside them, with and without a key:
 * each is told so and ended in time, and meanwhile everybody else is answered.
 */
import { until } from '../support/until.ts';
import { makeDataDir, removeDir, startServer } from '../support/server.ts';
import { rawConnection } from '../support/http-server.ts';
import { quantile, round, showFigures } from './figures.ts';

const key = 'torture-key-0123456789';
const endedMsMax = 30_000;
const dribbleMs = 5000;
const connectionsAtOnce = 64;

/** What follows `METHOD PATH HTTP/1.1`; those that dribble send one byte every 5 s. */
const kinds: readonly { readonly rest: string; readonly dribbles: boolean }[] = [
  { rest: 'Content-Length: 100\r\n\r\n', dribbles: false },
  { rest: 'Content-Length: 60000\r\n\r\n', dribbles: true },
  { rest: 'Transfer-Encoding: chunked\r\n\r\n5\r\nab', dribbles: false },
  { rest: 'Transfer-Encoding: chunked\r\n\r\nFFFF\r\n', dribbles: true },
  { rest: 'Content-Length: 100000000\r\n\r\n', dribbles: true },
  { rest: 'X-Half: ', dribbles: true },
];

type Ended = { readonly answer: string; readonly ms: number };

export async function runUnfinished({ sockets }: { sockets: number }): Promise<boolean> {
  const dataDir = await makeDataDir();
  const env = { API_KEYS: `me:admin:${key}`, MCP: 'on', ANSWER_URL: 'http://127.0.0.1:9/v1', LOG_LEVEL: 'warn' };
  const server = await startServer({ dataDir, env });
  try {
    const heads = requestHeads(await routesOf(server.url));
    const port = Number(new URL(server.url).port);
    const ended: Ended[] = [];
    for (let at = 0; at < sockets; at += connectionsAtOnce)
      await Promise.all(
        Array.from({ length: Math.min(connectionsAtOnce, sockets - at) }, async (_, index) => {
          const { head, dribbles } = heads[(at + index) % heads.length]!;
          const connection = await rawConnection(port);
          void follow(connection, head, dribbles).then((one) => ended.push(one));
        }),
      );
    const waits = await askHealth(server.url, () => ended.length === sockets);
    return showFigures([
      { figure: 'connections with unfinished requests', value: sockets },
      { figure: 'kinds of them (routes, keys, ways)', value: heads.length },
      { figure: 'answered with something else than 408', value: ended.filter(isNoTimeout).length, most: 0 },
      { figure: 'of them early, since their body is too long to wait for', value: ended.filter(isEarly).length },
      { figure: 'slowest end, s', value: round(Math.max(...ended.map(({ ms }) => ms)) / 1000, 1), most: endedMsMax / 1000 },
      { figure: 'GET /health meanwhile', value: waits.length, least: 10 },
      { figure: 'of them slowest, ms', value: round(Math.max(...waits)) },
      { figure: 'of them p99, ms', value: round(quantile(waits, 0.99)) },
    ]);
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

async function routesOf(url: string): Promise<readonly string[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const known = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'unknown')}`),
  );
  return [...known, 'GET /', 'GET /openapi.json', 'GET /assets/none.js', 'POST /nowhere', 'PATCH /health'];
}

function requestHeads(routes: readonly string[]): { head: string; dribbles: boolean }[] {
  return routes.flatMap((line) =>
    ['', `Authorization: Bearer ${key}\r\n`].flatMap((authorization) =>
      kinds.map(({ rest, dribbles }) => {
        const type = line.startsWith('POST /insert') ? 'multipart/form-data; boundary=b' : 'application/json';
        return { head: `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${authorization}Content-Type: ${type}\r\n${rest}`, dribbles };
      }),
    ),
  );
}

async function follow(
  { socket, received, closed }: Awaited<ReturnType<typeof rawConnection>>,
  head: string,
  dribbles: boolean,
): Promise<Ended> {
  const startedAt = performance.now();
  socket.write(head);
  const timer = dribbles ? setInterval(() => void socket.write('x'), dribbleMs) : undefined;
  await closed;
  clearInterval(timer);
  return { answer: received(), ms: performance.now() - startedAt };
}

/** How long each request took, in ms; throws when one is not answered. */
async function askHealth(url: string, done: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  await until(
    'all connections have ended',
    async () => {
      const before = performance.now();
      const answer = await fetch(`${url}/health`, { headers: { connection: 'close' } });
      if (answer.status !== 200) throw new Error(`GET /health answered ${answer.status}`);
      waits.push(performance.now() - before);
      return done();
    },
    120_000,
  );
  return waits;
}

/** A body of 100 MB is waited for only where it is a file. */
function isEarly({ answer }: Ended): boolean {
  return /^HTTP\/1\.1 (401|404|405|413|422) /.test(answer) && answer.includes('onnection: close');
}

function isNoTimeout(ended: Ended): boolean {
  return !ended.answer.startsWith('HTTP/1.1 408') && !isEarly(ended);
}
