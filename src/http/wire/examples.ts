/** What requests and answers look like, shown in OpenAPI beside their schemas; the compiler and a test keep them true. */
import type { z } from 'zod';
import type * as schemas from './schemas.ts';

const taskId = '0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b';
const times = { began: '2026-11-24T08:30:00.100Z', ended: '2026-11-24T08:30:02.000Z' };

const task: z.input<typeof schemas.taskRecord> = {
  task_id: taskId,
  collection: 'default',
  doc_id: 'handbook',
  filename: 'handbook.pdf',
  file_size: 482_133,
  status: 'completed',
  created_at: '2026-11-24T08:30:00.000Z',
  updated_at: times.ended,
  result: {
    message: 'Document processed successfully',
    filename: 'handbook.pdf',
    media_type: 'application/pdf',
    title: 'Handbook',
    pages: 24,
    chunks: 61,
    characters: 48_211,
    unchanged: false,
    superseded: false,
    warnings: [],
  },
  error: null,
  stage: 'done',
  progress: { percent: 100, pages_done: 24, pages_total: 24, chunks_done: 61, chunks_total: 61 },
  queue_position: null,
  attempts: 1,
  max_attempts: 3,
  error_code: null,
  retryable: null,
  started_at: times.began,
  finished_at: times.ended,
  expires_at: '2026-11-25T08:30:02.000Z',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  media_type: 'application/pdf',
  metadata: { team: 'support' },
  links: { self: `/task/${taskId}`, events: `/task/${taskId}/events`, document: '/documents/handbook' },
};

const accepted: z.input<typeof schemas.taskAccepted> = {
  message: 'File uploaded successfully, processing started',
  task_id: taskId,
  doc_id: 'handbook',
  filename: 'handbook.pdf',
  status_url: `/task/${taskId}`,
};

const searchRequest: z.input<typeof schemas.searchBody> = {
  query: 'how many days of leave',
  top_k: 5,
  metadata: { team: 'support' },
};

const searchReply: z.input<typeof schemas.searchReply> = {
  query: 'how many days of leave',
  mode: 'hybrid',
  took_ms: 3.2,
  total: 1,
  notice: null,
  shown_for: null,
  hits: [
    {
      score: 1,
      relevance: 0.92,
      text: 'Everybody has 30 days of leave a year.',
      highlights: [
        [17, 21],
        [25, 30],
      ],
      across_languages: false,
      citation: {
        collection: 'default',
        doc_id: 'handbook',
        filename: 'handbook.pdf',
        title: 'Handbook',
        page: 12,
        page_end: 12,
        section: ['Working hours', 'Leave'],
        metadata: { team: 'support' },
        chunk_id: `${taskId}:31`,
        char_start: 23_104,
        char_end: 23_142,
        url: '/documents/handbook/content',
      },
    },
  ],
};

const problem: z.input<typeof schemas.problemDocument> = {
  type: 'urn:rag-intake:problem:not-found',
  title: 'Not found',
  status: 404,
  detail: 'Task not found',
  instance: `/task/${taskId}`,
  code: 'not_found',
  request_id: '6f1d0c52-54f4-4a7c-8d0e-4a0b8a2f3c11',
};

/** By the id of the schema. */
export const examples: Readonly<Record<string, unknown>> = {
  Task: task,
  Inserted: { ...task, message: 'Document processed successfully', status_url: `/task/${taskId}` },
  TaskAccepted: accepted,
  TaskPage: { tasks: [task], next_cursor: null },
  TaskCancelled: { message: 'Task cancelled', task_id: taskId },
  SearchRequest: searchRequest,
  SearchReply: searchReply,
  DocumentDeleted: { message: 'Document deleted', doc_id: 'handbook' },
  AnswerRequest: { question: 'How many days of leave does everybody have?' },
  Health: { status: 'ok' },
  Ready: { status: 'ready' },
  Problem: problem,
};
