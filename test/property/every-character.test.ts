/**
 * Every Unicode scalar value, alone and beside others, from a file to the hits of a search, over HTTP. `npm run fuzz:characters` sends
 * all of them in every format on every engine; without it each format has its turn with some of every kind, on one engine.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginesCombined, type TestEngine } from '../support/engines.ts';
import {
  characterFile,
  characterFormats,
  type CharacterFile,
  eachKind,
  everyScalar,
  everywhere,
  lostBlocks,
  visible,
} from '../support/every-character.ts';
import { ended, insert, startServer, type TestServer, type WireHit } from '../support/server.ts';

const isThorough = process.env['CHARACTERS'] === 'all';
/** A hit is large, so that each holds the word that is searched for, and there are no more than a search shows. */
const env = { CHUNK_TOKENS: '8192', LOG_LEVEL: 'warn' };

describe.each(enginesCombined)('every character on $name', ({ name: engineName, open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer({ ...(await engine.newPlace()), env });
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  // Redis keeps no text: what is behind it does.
  it('is found again', async () => {
    await expectFound(server, characterFile('docx', isThorough || !engineName.startsWith('Redis') ? everyScalar : eachKind));
  });

  const formats = isThorough || engineName === 'files' ? characterFormats : [];
  it.each(formats.filter((format) => format !== 'docx'))('is found again as %s', async (format) => {
    await expectFound(server, characterFile(format, isThorough ? everyScalar : eachKind));
  });
});

async function expectFound({ url }: TestServer, file: CharacterFile): Promise<void> {
  const docId = `every ${file.name}`;
  const answer = await insert(url, docId, file, { prefer: 'respond-async' });
  const { task_id: taskId } = (await answer.json()) as { task_id: string };
  expect(await ended(url, taskId, 120_000)).toMatchObject({ status: 'completed', attempts: 1, error: null });
  const content = await (await fetch(`${url}/documents/${encodeURIComponent(docId)}/content`)).text();
  expect(lostBlocks(content, file.blocks)).toEqual([]);
  const hits = await allHits(url, docId);
  expect(hits.filter(({ text, citation }) => text !== content.slice(citation.char_start, citation.char_end))).toEqual([]);
  expect(lostBlocks(visible(joined(hits)), file.blocks.map(visible))).toEqual([]);
}

async function allHits(url: string, docId: string): Promise<WireHit[]> {
  const hits: WireHit[] = [];
  for (let offset = 0; ; offset += 100) {
    const body = JSON.stringify({ query: everywhere, mode: 'keyword', top_k: 100, offset, doc_ids: [docId] });
    const answer = await fetch(`${url}/search`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const page = ((await answer.json()) as { hits: WireHit[] }).hits;
    hits.push(...page);
    if (page.length < 100 || offset === 1000) return hits;
  }
}

/** The text that the hits cover, in the order of the document. */
function joined(hits: readonly WireHit[]): string {
  const inOrder = hits.toSorted((one, other) => one.citation.char_start - other.citation.char_start);
  return inOrder.map(({ text }) => text).join('\n');
}
