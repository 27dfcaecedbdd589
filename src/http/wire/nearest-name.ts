/** What to say of a name that is not known: which known one was probably meant. */
import { editDistance } from '../../edit-distance.ts';
import { loggable } from '../log-text.ts';

/** What other servers and habits call the same thing. */
const meantBy: Readonly<Record<string, readonly string[]>> = {
  q: ['query', 'text', 'question', 'search', 'keywords', 'term'],
  query: ['q', 'text', 'question', 'search', 'input', 'prompt'],
  question: ['q', 'query', 'text', 'input', 'prompt'],
  top_k: ['k', 'n', 'limit', 'size', 'count', 'num_results', 'max_num_results', 'max_results', 'page_size', 'per_page'],
  limit: ['top_k', 'k', 'n', 'size', 'count', 'page_size', 'per_page', 'max'],
  offset: ['skip', 'start', 'from'],
  cursor: ['page', 'offset', 'after', 'next', 'next_cursor', 'page_token', 'starting_after'],
  doc_id: ['id', 'document', 'document_id', 'doc', 'name', 'key'],
  doc_ids: ['ids', 'documents', 'document_ids', 'docs'],
  filename: ['name', 'file', 'file_name', 'title', 'source'],
  file: ['files', 'document', 'upload', 'data', 'content', 'attachment'],
  media_type: ['type', 'mime', 'mime_type', 'content_type'],
  metadata: ['meta', 'tags', 'attributes', 'properties', 'custom'],
  filters: ['filter', 'where', 'metadata_filter', 'metadata_condition', 'conditions'],
  sort: ['order', 'order_by', 'sort_by', 'orderby'],
  mode: ['search_mode', 'search_type', 'search_method', 'strategy'],
  inserted_after: ['after', 'since', 'from', 'created_after', 'start_date'],
  inserted_before: ['before', 'until', 'to', 'created_before', 'end_date'],
  callback_url: ['callback', 'webhook', 'webhook_url', 'notify_url'],
  wait: ['timeout', 'wait_seconds'],
  status: ['state'],
  state: ['status'],
  key: ['api_key', 'password', 'token'],
};

const nameShownMax = 64;

/**
 * A sentence: the unknown name, the known one that is nearest to it, and all that are known.
 * `kind`: what it is a name of (`field`, `parameter`).
 */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  const shown = loggable(name.length > nameShownMax ? `${name.slice(0, nameShownMax)}…` : name);
  if (known.length === 0) return `Unknown ${kind} \`${shown}\`; none is accepted here.`;
  const meant = nearest(name, known);
  if (known.length === 1) return `Unknown ${kind} \`${shown}\`; did you mean \`${meant}\`?`;
  const list = known.map((one) => `\`${one}\``).join(', ');
  return `Unknown ${kind} \`${shown}\`; did you mean \`${meant}\`? Accepted here: ${list}.`;
}

function nearest(name: string, known: readonly string[]): string {
  const plain = simplified(name);
  const sameThing = known.find((one) => meantBy[one]?.some((other) => simplified(other) === plain) === true);
  const [closest] = known
    .map((one) => ({ one, distance: editDistance(plain, simplified(one)) }))
    .toSorted((a, b) => a.distance - b.distance);
  // A slip of the finger comes before another server's word.
  if (closest!.distance <= 1) return closest!.one;
  return sameThing ?? closest!.one;
}

/** `topK`, `top-k` and `TOP_K` are one name; bounded, since the name is a stranger's. */
function simplified(name: string): string {
  return name
    .slice(0, nameShownMax)
    .toLowerCase()
    .replace(/[-_.[\]\s]/g, '');
}
