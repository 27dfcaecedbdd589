import { expect, it } from 'vitest';
import { withWholeParts } from '../../../src/parse/containers/interleaved-zip.ts';
import { openZip } from '../../../src/parse/containers/zip.ts';
import { usualLimits } from '../../support/parse.ts';
import { makeZip } from '../../support/zip-writer.ts';

const pieces = [
  { name: 'a.xml/[10].last.piece', data: 'three' },
  { name: 'whole.xml', data: 'whole' },
  { name: 'A.xml/[0].piece', data: 'one ' },
  { name: 'a.XML/[2].Piece', data: 'two ' },
];

function open(members: readonly { name: string; data: string }[]): ReturnType<typeof withWholeParts> {
  return withWholeParts(openZip({ path: '', bytes: makeZip(members) }, usualLimits));
}

it('puts the pieces of a part together in their order, whatever lies between, and leaves whole parts as they are', async () => {
  const zip = open(pieces);
  const part = zip.find('a.xml')!;
  const chunks: Buffer[] = [];
  for await (const chunk of zip.chunks(part)) chunks.push(chunk);

  expect([...zip.names]).toEqual(['a.xml', 'whole.xml']);
  expect([Buffer.concat(chunks).toString(), (await zip.read(part))?.toString()]).toEqual(['one two three', 'one two three']);
  expect((await zip.read(zip.find('WHOLE.xml')!))?.toString()).toBe('whole');
  expect([zip.find('b.xml'), await zip.read('b.xml')]).toEqual([null, null]);
});

it('reads no more of all pieces than is wanted of the part', async () => {
  const zip = open(pieces);

  await expect(zip.read('a.xml', 9)).rejects.toMatchObject({ code: 'limit_exceeded' });
  expect((await zip.read('a.xml', 13))?.length).toBe(13);
});
