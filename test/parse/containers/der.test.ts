import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DerNode, octetsOf, readDer } from '../../../src/parse/containers/der.ts';
import { der } from '../../support/ofd-writer.ts';

const open = (tag: number, parts: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.from([0, 0])]);

describe('readDer', () => {
  it('reads values with and without lengths, as deep as they lie', () => {
    type Sample = { readonly tree: unknown; readonly bytes: Buffer };
    const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
      sample: fc.oneof(
        { maxDepth: 5 },
        fc
          .uint8Array({ maxLength: 300 })
          .map((data): Sample => ({ tree: Buffer.from(data).toString('hex'), bytes: der(0x04, Buffer.from(data)) })),
        fc.tuple(fc.boolean(), fc.array(tie('sample'), { maxLength: 4 })).map(([isOpen, parts]): Sample => ({
          tree: parts.map((part) => part.tree),
          bytes: (isOpen ? open : der)(
            0x30,
            parts.map((part) => part.bytes),
          ),
        })),
      ),
    }));
    const shape = (node: DerNode): unknown => (node.tag === 0x30 ? node.parts().map(shape) : node.content.toString('hex'));

    fc.assert(
      fc.property(sample, ({ tree, bytes }) => {
        expect(shape(readDer(bytes)!)).toEqual(tree);
      }),
    );
  });

  it('puts an octet string together that comes in parts', () => {
    const parts = [der(0x04, Buffer.from('one ')), der(0x04, Buffer.from('two'))];

    expect(octetsOf(readDer(open(0x24, parts))!).toString()).toBe('one two');
    expect(octetsOf(readDer(der(0x04, Buffer.from('whole')))!).toString()).toBe('whole');
  });

  it('ends on anything at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const walk = (node: DerNode | null): number =>
          node === null ? 0 : node.parts().reduce((sum, part) => sum + walk(part), 1);
        expect(walk(readDer(Buffer.from(bytes)))).toBeLessThan(1000);
      }),
    );
    expect(readDer(Buffer.from([0x30, 0x80].concat(...Array.from({ length: 10_000 }, () => [0x30, 0x80]))))).not.toBeNull();
  });
});
