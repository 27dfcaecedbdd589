/**
 * A local server in place of an object store: PUT, GET with Range, HEAD, DELETE and ListObjectsV2 in memory. It checks each signature
 * and digest by the specification of Signature Version 4, with none of the client's code.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export const objectCredentials = { accessKeyId: 'test-access', secretAccessKey: 'test-secret-of-objects', sessionToken: '' };
const region = 'test-region';

export type ObjectServer = AsyncDisposable & {
  /** By bucket and key. */
  readonly objects: Map<string, Buffer>;
  /** Of FILES_URL, for a bucket and prefix of its own. */
  filesUrl(bucket: string): string;
  /** Statuses that the next requests are refused with. */
  readonly refusals: number[];
  /** Headers that answers to GET lack. */
  readonly unsaid: Set<string>;
  /** Waited for at each request, with its method (`LIST` too) and `bucket/key`: at a PUT once it is stored, else before anything is done. True: nobody is there any more to be answered, and nothing else is done. */
  readonly hooks: { reached: ((method: string, key: string) => Promise<boolean>) | null };
};

export async function startObjectServer(): Promise<ObjectServer> {
  const objects = new Map<string, Buffer>();
  const refusals: number[] = [];
  const unsaid = new Set<string>();
  const hooks: ObjectServer['hooks'] = { reached: null };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? '', 'http://server');
    const refusal = refusals.shift();
    if (refusal !== undefined) return refuse(response, refusal, 'SlowDown');
    if (!isSigned(request, url)) return refuse(response, 403, 'SignatureDoesNotMatch');
    if (createHash('sha256').update(body).digest('hex') !== request.headers['x-amz-content-sha256'])
      return refuse(response, 400, 'XAmzContentSHA256Mismatch');
    const key = decodeURIComponent(url.pathname.slice(1));
    const isList = url.searchParams.has('list-type');
    if (request.method === 'PUT') objects.set(key, body);
    if (await hooks.reached?.(isList ? 'LIST' : request.method!, key)) return void response.destroy();
    if (isList) return list(response, key, url.searchParams);
    if (request.method === 'DELETE') objects.delete(key);
    if (request.method === 'PUT') return void response.writeHead(200, { etag: '"one"' }).end();
    if (request.method === 'DELETE') return void response.writeHead(204).end();
    const found = objects.get(key);
    if (found === undefined) return refuse(response, 404, 'NoSuchKey');
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first !== undefined && Number(first) >= found.length) return refuse(response, 416, 'InvalidRange');
    const part = first === undefined ? found : found.subarray(Number(first), Number(last) + 1);
    const place =
      first === undefined ? {} : { 'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${found.length}` };
    const headers = Object.entries({ 'content-length': String(part.length), etag: '"one"', ...place });
    response.writeHead(first === undefined ? 200 : 206, Object.fromEntries(headers.filter(([name]) => !unsaid.has(name))));
    response.end(request.method === 'HEAD' ? undefined : part);
  }

  function list(response: ServerResponse, bucket: string, asked: URLSearchParams): void {
    const begin = `${bucket}${asked.get('prefix') ?? ''}`;
    const after = asked.get('continuation-token') ?? '';
    const all = [...objects.keys()].filter((key) => key.startsWith(begin) && key > after).toSorted();
    // Pages of two, so that every listing of some length has several.
    const page = all.slice(0, 2);
    const more = all.length > page.length;
    const contents = page.map((key) => `<Contents><Key>${key.slice(bucket.length)}</Key></Contents>`).join('');
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    response.end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${contents}${next}</ListBucketResult>`);
  }

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    objects,
    refusals,
    unsaid,
    hooks,
    filesUrl: (bucket) => `s3://${bucket}/kept?endpoint=http://127.0.0.1:${port}&region=${region}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As `startObjectServer`, in a thread of its own; what it holds is asked for as servers do. */
export async function startObjectServerApart(): Promise<AsyncDisposable & Pick<ObjectServer, 'filesUrl'>> {
  const thread = new Worker(new URL('object-server-thread.ts', import.meta.url));
  const [filesUrl] = (await once(thread, 'message')) as [string];
  return {
    filesUrl: (bucket) => filesUrl.replace('bucket', bucket),
    [Symbol.asyncDispose]: async () => void (await thread.terminate()),
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
}

function isSigned({ method = '', headers }: IncomingMessage, url: URL): boolean {
  const [, date = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=test-access\/(\d{8})\/test-region\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const query = [...url.searchParams].map((pair) => pair.map(encoded).join('=')).toSorted();
  const named = signed.split(';').map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`);
  const canonical = [method, url.pathname, query.join('&'), named.join(''), signed, headers['x-amz-content-sha256']].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, digest].join('\n');
  const hmac = (key: Buffer | string, value: string): Buffer => createHmac('sha256', key).update(value).digest();
  const key = [date, region, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${objectCredentials.secretAccessKey}`);
  return hmac(key, text).toString('hex') === signature;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
