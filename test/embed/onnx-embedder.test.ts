import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmbedder } from '../../src/embed/create-embedder.ts';
import { createOnnxEmbedder } from '../../src/embed/onnx-embedder.ts';
import { writeTinyModel } from '../support/onnx-model.ts';

const words = { cat: [1, 0, 0, 0], kitten: [1, 0.2, 0, 0], car: [0, 0, 1, 0], 猫: [1, 0, 0, 0.1], the: [0.1, 0.1, 0.1, 0.1] };

describe('the embedder from a local ONNX model', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onnx-embedder-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const settings = (name: string) =>
    ({ modelDir: join(folder, name), pooling: 'mean', queryPrefix: '', passagePrefix: '', threads: 4 }) as const;
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

  it('gives unit vectors that are near for related texts, in English and Chinese', async () => {
    await writeTinyModel(join(folder, 'tiny'), { words: { ...words, dimensions: [1, 1, 1, 1] }, output: 'vectors' });
    const embedder = await createEmbedder({ kind: 'onnx', ...settings('tiny') });
    expect(embedder).toMatchObject({ dimensions: 4, id: expect.stringMatching(/^onnx:tiny:[0-9a-f]{12}$/) as string });
    const [cat, kitten, car, 猫] = await embedder.embed(['the cat', 'the kitten', 'the car', '猫'], 'passage');
    expect(cosine(cat!, cat!)).toBeCloseTo(1, 5);
    expect(cosine(cat!, kitten!)).toBeGreaterThan(0.9);
    expect(cosine(cat!, 猫!)).toBeGreaterThan(0.9);
    expect(cosine(cat!, car!)).toBeLessThan(0.5);
  });

  it('gives the same vector for a text alone and among longer ones', async () => {
    await writeTinyModel(join(folder, 'tiny'), { words: { ...words, dimensions: [1, 1, 1, 1] }, output: 'vectors' });
    const embedder = await createOnnxEmbedder(settings('tiny'));
    const [alone] = await embedder.embed(['cat'], 'passage');
    const many = await embedder.embed(
      Array.from({ length: 40 }, (_, i) => (i === 20 ? 'cat' : 'the car the car the car')),
      'passage',
    );
    expect(many).toHaveLength(40);
    expect(cosine(alone!, many[20]!)).toBeCloseTo(1, 4);
  });

  it('tells two models of one name apart', async () => {
    await writeTinyModel(join(folder, 'a', 'tiny'), { words: { ...words, dimensions: [1, 1, 1, 1] }, output: 'vectors' });
    await writeTinyModel(join(folder, 'b', 'tiny'), { words: { ...words, dimensions: [1, 1, 1, 2] }, output: 'vectors' });
    const [a, b] = await Promise.all([createOnnxEmbedder(settings('a/tiny')), createOnnxEmbedder(settings('b/tiny'))]);
    expect(a.id).not.toBe(b.id);
  });

  it('says what is wrong when there is no model, and downloads nothing', async () => {
    await expect(createOnnxEmbedder(settings('nowhere'))).rejects.toMatchObject({ code: 'embedder_failed' });
  });
});
