/** POST /search and GET /search: the same search, for programs and for a link. */
import type { z } from 'zod';
import type { SearchFilter, SearchMode, SearchQuery } from '../../search/document-index.ts';
import { JsonList } from '../wire/json-list.ts';
import { askedCollections, type AskedPlaces } from '../access/asked-collection.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { route, type Call, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import type { SearchReply } from '../wire/schemas.ts';
import { toUtc } from '../wire/filters.ts';
import { toSearchReply, type WireOptions } from '../wire/wire.ts';

export function searchRoutes(wire: WireOptions, metrics: HttpMetrics): readonly Route[] {
  const answers: Route['answers'] = { 200: { description: 'The best chunks, each with its citation.', json: schemas.searchReply } };
  return [
    route({
      operation: 'search',
      method: 'POST',
      path: '/search',
      scope: 'read',
      tag: 'search',
      summary: 'Search documents.',
      body: { kind: 'json', schema: schemas.searchBody },
      answers,
      problems: ['bad_request', 'not_found', 'body_too_large', 'unsupported_media_type'],
      handle: (call) => search(call, call.body, toQuery(call.body, call.body.query, call.body.doc_ids)),
    }),
    route({
      operation: 'searchByLink',
      method: 'GET',
      path: '/search',
      scope: 'read',
      tag: 'search',
      summary: 'Search documents with query parameters.',
      query: schemas.searchQuery,
      answers,
      problems: ['not_found'],
      handle: (call) => search(call, call.query, toQuery(call.query, call.query.q, call.query.doc_id)),
    }),
  ];

  async function search(
    call: Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'asker' | 'audit'>,
    where: AskedPlaces,
    query: SearchQuery,
  ): Promise<void> {
    const { ctx, services, asker } = call;
    const collections = await askedCollections(call, where);
    const startedAt = performance.now();
    const answer = await services.search.search({ ...query, collections }, asker);
    metrics.searched(query.mode, (performance.now() - startedAt) / 1000);
    call.audit({ event: 'search', collections, hits: answer.hits.length, query: query.query });
    const { hits, ...head } = toSearchReply(query, answer, wire);
    const list = new JsonList();
    for (const hit of hits) {
      const fitting = [hit, withoutContext(hit)].find((one) => list.bytes + bytesOf(one) <= hitBytesMax);
      // Metadata and escapes may make a hundred hits larger than any answer is.
      if (fitting === undefined) {
        head.notice ??= 'The response would be too large; request the rest of the hits with offset.';
        break;
      }
      if (fitting !== hit) head.notice ??= 'The response would be too large; some hits come without their context.';
      await list.add([fitting]);
    }
    list.answer(ctx, 'hits', head);
  }
}

/** Of all hits together: no answer is larger than 8 MiB. */
const hitBytesMax = 8 * 1024 * 1024 - 64 * 1024;

type WireHit = SearchReply['hits'][number];

function withoutContext({ context: _context, ...hit }: WireHit): WireHit {
  return hit;
}

function bytesOf(hit: WireHit): number {
  return Buffer.byteLength(JSON.stringify(hit));
}

type Common = { top_k: number; offset: number; mode: SearchMode } & Partial<
  Omit<z.output<typeof schemas.searchBody>, 'query' | 'doc_ids' | 'collection' | 'collections' | 'top_k' | 'offset' | 'mode'>
>;

/** Of all members of a request, those apart that say what is asked and where; one that is added has to be passed on here. */
function toQuery(given: Common, query: string, docIds: readonly string[] | undefined): SearchQuery {
  const { top_k, offset, mode, min_relevance, group_by, context, ...others } = given;
  const { filename, media_type, inserted_after, inserted_before, metadata, filters, ...rest } = others;
  rest satisfies { readonly [name: string]: never };
  const filter: SearchFilter = {
    ...(docIds === undefined ? {} : { docIds }),
    ...(filename === undefined ? {} : { filename }),
    ...(media_type === undefined ? {} : { mediaType: media_type }),
    ...(inserted_after === undefined ? {} : { insertedAfter: toUtc(inserted_after, 'after') }),
    ...(inserted_before === undefined ? {} : { insertedBefore: toUtc(inserted_before, 'before') }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(filters === undefined ? {} : { filters }),
  };
  return {
    query,
    mode,
    topK: top_k,
    offset,
    filter,
    ...asked({ minRelevance: min_relevance, groupBy: group_by, context }),
  };
}

/** What of it was asked for. */
function asked(members: { readonly [Member in keyof SearchQuery]?: SearchQuery[Member] | undefined }): Partial<SearchQuery> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
