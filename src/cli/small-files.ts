/**
 * Sends small files together, as lines of `POST /documents:batch`: those that come while a request is on its way go in the next one. A line
 * that gets no answer is told apart from one that is refused, so that its file can be sent by itself.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ApiClient, FileChanged, problemOf, sentenceOf } from './api-client.ts';
import type { DescriptionOptions } from './description-options.ts';
import { type ListedFile, signatureOf } from './file-list.ts';

/** What the server said of one file; null: nothing, or that it cannot now. */
export type LineAnswer =
  | { readonly task_id: string }
  | { readonly error: { readonly status: number; readonly code: string; readonly detail: string } };

export interface SmallFiles {
  takes(file: ListedFile): boolean;
  /** @throws FileChanged; an error of the disk; CliError as `ApiClient.send`. */
  send(file: ListedFile): Promise<LineAnswer | null>;
}

/** Larger ones gain nothing by company. */
const fileBytesMax = 256 * 1024;
/** Of one request, before base64. */
const group = { files: 64, bytes: 2 * 1024 * 1024 };

type Line = { readonly text: string; readonly bytes: number; readonly answer: PromiseWithResolvers<LineAnswer | null> };

/** What is no answer of ours is none; what is refused for now is left to be sent again. */
function answersIn(text: string): Map<number, LineAnswer> {
  const answers = new Map<number, LineAnswer>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const answer = answerIn(line);
    if (answer !== null && !('error' in answer && [429, 503].includes(answer.error.status))) answers.set(answer.line, answer);
  }
  return answers;
}

function answerIn(line: string): ({ readonly line: number } & LineAnswer) | null {
  try {
    return JSON.parse(line) as { readonly line: number } & LineAnswer;
  } catch {
    return null;
  }
}

/** Looked at before too: what has grown meanwhile is not read. */
async function readUnchanged({ path, bytes, signature }: ListedFile): Promise<Buffer> {
  const isSame = async (): Promise<boolean> => signatureOf(await stat(path, { bigint: true })) === signature;
  if (!(await isSame())) throw new FileChanged();
  const content = await readFile(path);
  if (content.length !== bytes || !(await isSame())) throw new FileChanged();
  return content;
}

/** What is `given` is said of every file. */
export function createSmallFiles(
  client: ApiClient,
  { password, ...description }: DescriptionOptions & { readonly password: string | null },
): SmallFiles {
  let waiting: Line[] = [];
  let sending = false;

  async function sendWaiting(): Promise<void> {
    sending = true;
    while (waiting.length > 0) {
      const lines = takeGroup();
      try {
        const answers = await ask(lines);
        for (const [i, { answer }] of lines.entries()) answer.resolve(answers.get(i + 1) ?? null);
      } catch (error) {
        for (const { answer } of lines) answer.reject(error as Error);
      }
    }
    sending = false;
  }

  function takeGroup(): Line[] {
    let bytes = 0;
    let count = 0;
    for (const line of waiting.slice(0, group.files)) {
      bytes += line.bytes;
      if (count > 0 && bytes > group.bytes) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  /** By the number of the line. */
  async function ask(lines: readonly Line[]): Promise<Map<number, LineAnswer>> {
    const content = lines.map(({ text }) => `${text}\n`).join('');
    const reply = await client.send({
      method: 'POST',
      path: ['documents:batch'],
      body: { type: 'application/x-ndjson', content },
    });
    if (reply.status === 200) return answersIn(reply.text);
    // A server of before batches.
    if ([404, 405, 415].includes(reply.status)) return new Map();
    const error = { status: reply.status, code: String(problemOf(reply)?.['code']), detail: sentenceOf(reply) };
    return new Map(lines.map((_line, i) => [i + 1, { error }]));
  }

  return {
    takes: ({ bytes }) => bytes <= fileBytesMax,
    async send(file) {
      const content = await readUnchanged(file);
      const text = JSON.stringify({
        doc_id: file.docId,
        filename: basename(file.path),
        file_base64: content.toString('base64'),
        ...description,
        ...(password === null ? {} : { password }),
      });
      const answer = Promise.withResolvers<LineAnswer | null>();
      waiting.push({ text, bytes: content.length, answer });
      if (!sending) void sendWaiting();
      return answer.promise;
    },
  };
}
