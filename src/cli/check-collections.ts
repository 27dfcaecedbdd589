/**
 * The part of the doctor that holds the collections against the documents: documents whose collection is not there can be reached by
 * nobody, and what the index has counted must be what is in it.
 */
import { bareCollection } from '../documents/collection.ts';
import { collectionOf, defaultCollection } from '../documents/document-name.ts';
import type { CollectionStats, IndexedDocument } from '../search/document-index.ts';
import type { Engine } from '../storage/engine.ts';
import type { Check } from './check.ts';

/** What each collection was found to hold. */
export type Held = ReadonlyMap<string, CollectionStats>;

/** Counts one more document. */
export function addTo(held: Map<string, CollectionStats>, { docId, chunks, fileBytes }: IndexedDocument): void {
  const collection = collectionOf(docId);
  const before = held.get(collection) ?? { documents: 0, chunks: 0, bytes: 0 };
  held.set(collection, {
    documents: before.documents + 1,
    chunks: before.chunks + chunks,
    bytes: before.bytes + fileBytes,
  });
}

/** What all documents came to, looked at one after the other, and what the index had said before. */
export type Looked = { readonly held: Held; readonly counted: Held };

/**
 * Servers may work meanwhile: what the index says otherwise by now has changed, and is not held against it. `repair`: a collection that is missing, or of which nothing can be
 * read, is there again with the server's settings, and what is miscounted is counted anew.
 */
export async function checkCollections(engine: Engine, { held, counted }: Looked, repair: boolean): Promise<Check> {
  const { collections, index } = engine;
  const [known, removals, damaged] = [await collections.all(), await collections.removals(), await collections.damaged()];
  const names = new Set([defaultCollection, ...known.map(({ name }) => name)]);
  const orphaned = [...held.keys()].filter((name) => !names.has(name) && !removals.includes(name));
  const changed = differing(counted, await index.collectionStats(null));
  const miscounted = differing(held, counted).filter((name) => !changed.includes(name));
  const lost = [...orphaned, ...damaged];
  if (repair) {
    for (const name of lost) await collections.put({ ...bareCollection(name), createdAt: new Date().toISOString() });
    if (miscounted.length > 0) await index.recount();
  }
  const mended = repair ? (lost.length > 0 ? remade(lost) : '') + (miscounted.length > 0 ? recounted(miscounted) : '') : '';
  const waiting =
    removals.length === 0 ? '' : ` Still being deleted; the next server that starts finishes it: ${listed(removals)}.`;
  const count = [...held.values()].reduce((sum, { documents }) => sum + documents, 0);
  const sentence = `${names.size + (repair ? orphaned.length : 0)} collections hold ${count} documents.${mended}${waiting}`;
  if (repair || lost.length + miscounted.length === 0) return { name: 'collections', state: 'ok', sentence };
  const said = [
    orphaned.length === 0 ? '' : ` Missing, though it has documents, which nobody can reach: ${listed(orphaned)}.`,
    damaged.length === 0 ? '' : ` Its record is damaged, so the server's settings apply: ${listed(damaged)}.`,
    miscounted.length === 0 ? '' : ` Counted wrongly: ${listed(miscounted)}.`,
  ].join('');
  return { name: 'collections', state: 'problem', sentence: `${sentence}${said} "rag-intake doctor --repair" repairs it.` };
}

function remade(names: readonly string[]): string {
  return ` Created again with the server's settings; set its title, settings and synonyms again: ${listed(names)}.`;
}

function recounted(names: readonly string[]): string {
  return ` Counted again: ${listed(names)}.`;
}

/** Those of which the index says something else than was found. */
function differing(held: Held, stats: Held): string[] {
  const names = [...new Set([...held.keys(), ...stats.keys()])].toSorted();
  return names.filter((name) => {
    const [found, said] = [held.get(name), stats.get(name)];
    return found?.documents !== said?.documents || found?.chunks !== said?.chunks || found?.bytes !== said?.bytes;
  });
}

/** Named in a sentence; more than these are counted. */
const namedMax = 5;

function listed(names: readonly string[]): string {
  const more = names.length > namedMax ? `, and ${names.length - namedMax} more` : '';
  return names.slice(0, namedMax).join(', ') + more;
}
