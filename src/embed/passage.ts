/** What of a chunk is embedded. */
import type { Chunk } from '../chunk/chunk.ts';

/** The chunk, led by what its reader would know from the pages before it. */
export function passageOf(chunk: Pick<Chunk, 'section' | 'context' | 'text'>, title: string | null): string {
  return [title ?? '', chunk.section.join(' › '), chunk.context, chunk.text].filter((part) => part !== '').join('\n');
}
