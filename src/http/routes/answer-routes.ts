/** POST /answer: an answer in sentences with numbered citations, as server-sent events. There only where a chat service is set. */
import { AppError } from '../../errors.ts';
import type { AnswerEvent } from '../../search/models/answer.ts';
import { askedCollections } from '../access/asked-collection.ts';
import { openEventStream } from '../live/event-stream.ts';
import type { HttpLimits } from '../http-settings.ts';
import { route, type Call, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import { createSlots } from '../access/slots.ts';
import { toHit, type WireOptions } from '../wire/wire.ts';

export type AnswerRouteOptions = {
  readonly limits: HttpLimits;
  readonly wire: WireOptions;
};

/** Answers being written at once: each holds the chat service for seconds. */
const slotsOf = { perClientMax: 4, max: 16 };

export function answerRoutes({ limits, wire }: AnswerRouteOptions): readonly Route[] {
  const slots = createSlots(slotsOf);
  return [
    route({
      operation: 'answer',
      method: 'POST',
      path: '/answer',
      scope: 'read',
      tag: 'search',
      summary: 'Answer a question from the best chunks only, with numbered citations.',
      body: { kind: 'json', schema: schemas.answerBody },
      answers: {
        200: {
          description: 'Events: `sources` once, any number of `text`, then `done` with the numbers cited; or `error`.',
          mediaType: 'text/event-stream',
        },
      },
      problems: ['bad_request', 'not_found', 'body_too_large', 'unsupported_media_type', 'rate_limited', 'unavailable'],
      handle: writeAnswer,
    }),
  ];

  async function writeAnswer(call: Call<unknown, unknown, schemas.AnswerBody>): Promise<void> {
    const { ctx, body, services, asker, signal } = call;
    const { answers } = services;
    if (answers === undefined) throw new AppError('unavailable', 'No chat service is configured (ANSWER_URL).');
    const collections = await askedCollections(call, body);
    const { client } = asker;
    const stream = openEventStream(ctx, { limits, slots, client, until: signal });
    const filter = {
      ...(body.doc_ids === undefined ? {} : { docIds: body.doc_ids }),
      ...(body.filters === undefined ? {} : { filters: body.filters }),
    };
    const minRelevance = body.min_relevance === undefined ? {} : { minRelevance: body.min_relevance };
    let id = 0;
    try {
      for await (const event of answers.answer(
        { question: body.question, topK: body.top_k, filter, collections, ...minRelevance },
        { client, gone: stream.closed },
      )) {
        id += 1;
        if (event.type === 'sources')
          call.audit({ event: 'answer', collections, hits: event.sources.length, query: body.question });
        stream.send({ id: String(id), name: event.type, data: toWire(event) });
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      stream.send({ id: String(id + 1), name: 'error', data: { detail: error.message } });
    } finally {
      stream.close();
    }
  }

  function toWire(event: AnswerEvent): object {
    switch (event.type) {
      case 'sources':
        return { sources: event.sources.map((hit, index) => ({ number: index + 1, ...toHit(hit, wire) })) };
      case 'text':
        return { text: event.text };
      case 'done':
        return { cited: event.cited };
    }
  }
}
