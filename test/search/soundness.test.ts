import { readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexedDocument } from '../../src/search/document-index.ts';
import { examineVersion } from '../../src/search/soundness.ts';
import { measureParts, readStagedMeta } from '../../src/search/index/staging.ts';
import { newId } from '../support/engine-steps.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';

const text = 'An original about pumps, and casks.';

describe.each([
  { name: 'with digests', digests: true },
  { name: 'of version 0.1.0, without digests', digests: false },
])('a stored version $name', ({ digests }) => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let document: IndexedDocument;
  const at = (part: string): string => join(dir.path, part);

  beforeEach(async () => {
    dir = await tempDir();
    document = await stageDocument(dir.path, {
      docId: 'a',
      version: newId(),
      texts: ['The first chunk.', 'The second, 第二段。'],
      vectors: [Float32Array.of(1, 0), Float32Array.of(0, 1)],
      fileBytes: text.length,
      sha256: createHash('sha256').update(text).digest('hex'),
    });
    await writeFile(at('original'), text);
    if (digests) await writeMeta({ parts: await measureParts(dir.path) });
  });
  afterEach(() => dir[Symbol.asyncDispose]());

  async function writeMeta(more: object): Promise<void> {
    await writeFile(at('meta.json'), JSON.stringify({ ...(await readStagedMeta(dir.path)), ...more }));
  }

  it('is found whole, and its digests are told', async () => {
    const { faults, meta } = await examineVersion(dir.path, document);

    expect(faults).toEqual([]);
    expect(meta?.parts).toEqual(await measureParts(dir.path));
  });

  it.each(['original', 'content.md', 'chunks.ndjson', 'vectors.bin', 'meta.json'])(
    '%s cut, gone, or a link is noticed',
    async (part) => {
      const whole = await readFile(at(part));
      await truncate(at(part), whole.length - 3);
      const cut = await examineVersion(dir.path, document);
      await rm(at(part));
      const gone = await examineVersion(dir.path, document);
      await writeFile(at('elsewhere'), whole);
      await symlink(at('elsewhere'), at(part));
      const linked = await examineVersion(dir.path, document);

      expect(cut.faults).toContainEqual({ part, is: 'changed' });
      expect(gone.faults).toContainEqual({ part, is: 'missing' });
      expect(linked.faults).toContainEqual({ part, is: 'changed' });
    },
  );

  it('is whole with what its pages look like, and without it', async () => {
    await writeFile(at('pages.ndjson'), '{"page":1}\n');
    if (digests) await writeMeta({ parts: await measureParts(dir.path) });
    const withLooks = await examineVersion(dir.path, document);
    if (digests) await writeFile(at('pages.ndjson'), '{"page":2}\n');
    const changed = await examineVersion(dir.path, document);
    await rm(at('pages.ndjson'));
    const gone = await examineVersion(dir.path, document);

    expect(withLooks.faults).toEqual([]);
    expect(withLooks.meta?.parts?.['pages.ndjson']?.bytes).toBe(11);
    expect(changed.faults).toEqual(digests ? [{ part: 'pages.ndjson', is: 'changed' }] : []);
    expect(gone.faults).toEqual(digests ? [{ part: 'pages.ndjson', is: 'missing' }] : []);
  });

  it('a changed letter is noticed where it can be', async () => {
    for (const part of ['original', 'content.md', 'chunks.ndjson'] as const) {
      const whole = await readFile(at(part), 'utf8');
      await writeFile(at(part), whole.replace(/[Cc]/, 'k'));
      const { faults } = await examineVersion(dir.path, document);
      await writeFile(at(part), whole);
      expect(faults, part).not.toEqual([]);
    }
  });

  it('meta.json of another document, or with fields of another kind, is noticed', async () => {
    for (const document_ of [
      { docId: 'b' },
      { docId: 5 },
      { version: '../..' },
      { metadata: [] },
      { chunks: -1 },
      { sha256: 'x' },
    ]) {
      const whole = await readFile(at('meta.json'), 'utf8');
      await writeMeta({ document: { ...document, ...document_ } });
      const { faults } = await examineVersion(dir.path, document);
      await writeFile(at('meta.json'), whole);
      expect(faults, JSON.stringify(document_)).toEqual([{ part: 'meta.json', is: 'changed' }]);
    }
  });
});
