/** A client of POST /documents:batch whose server is killed while it listens. */
import { request, type IncomingMessage } from 'node:http';

export type Told = { readonly line: number; readonly doc_id: string; readonly task_id: string };

/** Whole lines of the answer; after `count` of them `then` happens, and what had come before the end counts too. */
export async function answersUntil(
  url: string,
  lines: readonly string[],
  count: number,
  then: () => Promise<void>,
): Promise<Told[]> {
  const sent = request(`${url}/documents:batch`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject));
  sent.on('error', () => {});
  sent.end(lines.join('\n'));
  let text = '';
  let seen = 0;
  let killing: Promise<void> | null = null;
  try {
    for await (const piece of (await answered).setEncoding('utf8')) {
      text += piece as string;
      seen += (piece as string).split('\n').length - 1;
      if (seen >= count) killing ??= then();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  }
  await (killing ?? then());
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told);
}
