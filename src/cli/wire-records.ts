/** What the server's answers look like, as far as the command reads them. */
import type { WireDescription } from './description-options.ts';

export type WireServerConfig = { readonly version: string; readonly file_bytes_max: number };

export type WireTask = {
  readonly task_id: string;
  readonly doc_id: string;
  readonly filename: string;
  readonly file_size: number;
  readonly sha256: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  readonly stage: string;
  readonly progress: { readonly percent: number };
  readonly attempts: number;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly result: { readonly pages: number | null; readonly chunks: number } | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly retryable: boolean | null;
};

export type WireTaskPage = { readonly tasks: readonly WireTask[]; readonly next_cursor: string | null };

export type WireDocument = WireDescription & {
  readonly doc_id: string;
  readonly task_id: string;
  readonly filename: string;
  readonly media_type: string;
  readonly file_size: number;
  readonly sha256: string;
  readonly pages: number | null;
  readonly chunks: number;
  readonly inserted_at: string;
};

export type WireDocumentPage = { readonly documents: readonly WireDocument[]; readonly next_cursor: string | null };

export type WireSearchReply = {
  readonly total: number;
  readonly took_ms: number;
  readonly notice: string | null;
  readonly shown_for: string | null;
  readonly hits: readonly {
    readonly score: number;
    readonly text: string;
    readonly highlights: readonly (readonly [number, number])[];
    readonly also_in?: readonly { readonly filename: string }[];
    readonly citation: {
      readonly collection: string;
      readonly doc_id: string;
      readonly filename: string;
      readonly page: number | null;
      readonly page_end: number | null;
      readonly section: readonly string[];
    };
  }[];
};

export type WireDelivery = {
  readonly id: string;
  readonly state: string;
  readonly url: string;
  readonly due_at: string | null;
  readonly attempts: readonly { readonly status: number | null; readonly error: string | null }[];
};
