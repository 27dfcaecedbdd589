/**
 * Pages of files as OpenAI's clients turn them: by the id of the last file of the page before. What waits or runs comes first where the
 * newest do, then what is searchable, of which no more is read than the page shows.
 */
import type { Context } from 'koa';
import { z } from 'zod';
import { scopedId } from '../../documents/document-name.ts';
import type { DocumentQuery, IndexedDocument } from '../../search/document-index.ts';
import type { Filter } from '../../search/filters.ts';
import * as schemas from '../wire/schemas.ts';
import { liveTasks, type OpenAiCall, type StoredFile } from './openai-files.ts';
import * as objects from './openai-objects.ts';

export const pageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .optional(),
  after: schemas.docId.optional(),
  before: schemas.docId.optional(),
  order: z.enum(['asc', 'desc']).optional(),
});
export type PageQuery = z.output<typeof pageQuery>;

/** Whose ids are within the page, and whether there is more behind it. */
export type Page<T> = { readonly items: readonly T[]; readonly hasMore: boolean };

/** What of a collection is listed. */
export type Listed = {
  readonly collection: string;
  /** Whether it shows what waits or runs, and which of it. */
  readonly live: ((file: StoredFile) => boolean) | null;
  /** Whether it shows what is searchable, and which of it. */
  readonly searchable: { readonly filters: Filter | null } | null;
};

const limitMax = 100;
const limitUsual = 20;

/**
 * One page, in the order that was asked for. A file that is not there any more is where the list begins: who deletes what each page
 * shows gets to the rest. Cost: a page of documents, and the live tasks (`liveTasks`).
 */
export async function listFiles(call: OpenAiCall, listed: Listed, query: PageQuery): Promise<Page<StoredFile>> {
  const source = new Source(call, listed, await liveFiles(call, listed));
  const descending = query.order !== 'asc';
  const limit = limitOf(query);
  if (query.before === undefined || query.after !== undefined) {
    const { items, hasMore } = await source.page({ after: query.after, descending, limit });
    const end = items.findIndex(({ id }) => id === query.before);
    return end === -1 ? { items, hasMore } : { items: items.slice(0, end), hasMore: false };
  }
  // The page before a file is the one behind it the other way round.
  const { items, hasMore } = await source.page({ after: query.before, descending: !descending, limit });
  return { items: items.toReversed(), hasMore };
}

/** A page of what is all there; newest first unless asked otherwise. */
export function pageOf<T extends { readonly id: string }>(newestFirst: readonly T[], query: PageQuery): Page<T> {
  const ordered = query.order === 'asc' ? newestFirst.toReversed() : newestFirst;
  const place = (id: string | undefined): number => ordered.findIndex((item) => item.id === id);
  const end = query.before === undefined || place(query.before) === -1 ? ordered.length : place(query.before);
  const limit = limitOf(query);
  const from = query.before !== undefined && query.after === undefined ? Math.max(0, end - limit) : place(query.after) + 1;
  const items = ordered.slice(from, Math.min(end, from + limit));
  return { items, hasMore: from + items.length < end };
}

export function answerPage(ctx: Context, { items, hasMore }: Page<{ readonly id: string }>): void {
  ctx.body = objects.toList(items, hasMore);
}

function limitOf({ limit }: PageQuery): number {
  return Math.min(limitMax, Math.max(1, Number(limit ?? limitUsual)));
}

/** Newest first. */
async function liveFiles({ services }: OpenAiCall, { collection, live }: Listed): Promise<readonly StoredFile[]> {
  const tasks = await liveTasks(services, collection);
  const newestFirst = tasks.toSorted((a, b) => (a.task.id < b.task.id ? 1 : -1)).map(objects.fromTask);
  // Of several tasks of one document the newest counts.
  const byId = new Map(newestFirst.toReversed().map((file) => [file.id, file]));
  return newestFirst.filter((file) => byId.get(file.id) === file && live?.(file) !== false);
}

type Asked = { readonly after: string | undefined; readonly descending: boolean; readonly limit: number };
type Place = Pick<IndexedDocument, 'docId' | 'insertedAt'>;

/** The list as one: what is live, and the documents behind it. */
class Source {
  readonly #call: OpenAiCall;
  readonly #listed: Listed;
  /** Newest first. */
  readonly #live: readonly StoredFile[];
  readonly #liveIds: ReadonlySet<string>;

  constructor(call: OpenAiCall, listed: Listed, live: readonly StoredFile[]) {
    this.#call = call;
    this.#listed = listed;
    this.#live = live;
    this.#liveIds = new Set(live.map(({ id }) => id));
  }

  async page({ after, descending, limit }: Asked): Promise<Page<StoredFile>> {
    const shown = this.#listed.live === null ? [] : this.#live;
    const live = descending ? shown : shown.toReversed();
    const liveAfter = live.slice(live.findIndex(({ id }) => id === after) + 1);
    const isLive = liveAfter.length < live.length;
    const place = after === undefined || isLive ? null : await this.#placeOf(after);
    const wanted = limit + 1;
    const found: StoredFile[] = [];
    if (descending && place === null) found.push(...liveAfter);
    if (found.length < wanted && (descending || !isLive))
      found.push(...(await this.#documents(place, descending, wanted - found.length)));
    if (!descending && found.length < wanted) found.push(...liveAfter);
    return { items: found.slice(0, limit), hasMore: found.length > limit };
  }

  async #placeOf(id: string): Promise<Place | null> {
    const { services, asker } = this.#call;
    return services.documents.info(scopedId({ collection: this.#listed.collection, docId: id }), asker);
  }

  /** Those that nothing new is coming for, which would be listed twice. */
  async #documents(after: Place | null, descending: boolean, wanted: number): Promise<StoredFile[]> {
    const { collection, searchable } = this.#listed;
    if (searchable === null) return [];
    const query: DocumentQuery & { collection: string } = {
      collection,
      limit: wanted,
      ...(searchable.filters === null ? {} : { filters: searchable.filters }),
      ...(descending ? {} : { sort: { by: 'inserted_at', descending: false } }),
    };
    const found: StoredFile[] = [];
    let place = after;
    for (let isMore = true; isMore && found.length < wanted;) {
      const page = await this.#call.services.documents.list(
        { ...query, ...(place === null ? {} : { after: place }) },
        this.#call.asker,
      );
      found.push(...page.documents.map(objects.fromDocument).filter(({ id }) => !this.#liveIds.has(id)));
      place = page.documents.at(-1) ?? place;
      isMore = page.nextCursor !== null;
    }
    return found.slice(0, wanted);
  }
}
