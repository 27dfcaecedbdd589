/**
 * A searcher that follows, in PostgreSQL's own full text: each chunk is a `tsvector` of our own terms, so Chinese is cut as everywhere here and
 * no dictionary of the server is asked. A lexeme begins with the number of its collection: a question reads only what its own collection has.
 * How often a chunk has a term is told by positions.
 *
 * It shares nothing with the arbiter but the server: it could lie in another database.
 */
import { AppError } from '../../errors.ts';
import type { Change, FollowedChunk, FollowingSearcher } from '../../search/following/following-searcher.ts';
import type { Database } from './database.ts';

/** Where it keeps what it has. */
export const fulltextTables: readonly string[] = ['fulltext_chunk', 'fulltext_document', 'fulltext_word'];

/** Counting a term stops here: what so many chunks have tells next to nothing, and counting goes through them one by one. */
const countedMax = 10_000;
/** Repetition beyond this tells nothing more. */
const repeatedMax = 15;
/** Distinct terms of a chunk: far more than a text of 8,000 characters has, and less than a `tsvector` takes. */
const termsMax = 12_000;

/** Words that are kept for typing errors. */
const keptWord = /^\p{L}{3,40}$/u;
const wordsLikeMax = 1000;
/**
 * A word with all that is left of it without one of its letters: two words that differ by one error have one of these in common, and some
 * that differ by two. Words are not removed: whether a text still has one is asked when it is chosen.
 */
const wordsSql = `INSERT INTO fulltext_word(collection, word, parts)
  SELECT $1::integer, word, ARRAY(SELECT $1::integer::text || ' ' || overlay(word PLACING '' FROM place FOR 1) FROM generate_series(1, length(word)) AS place)
      || ($1::integer::text || ' ' || word)
    FROM unnest($2::text[]) AS asked(word)
    WHERE NOT EXISTS (SELECT 1 FROM fulltext_word AS known WHERE known.collection = $1::integer AND known.word = asked.word)
  ON CONFLICT DO NOTHING`;

export function createFulltextSearcher(database: Database): FollowingSearcher {
  /** They never change. */
  const numbers = new Map<string, number>();

  async function numberOf(collection: string): Promise<number | null> {
    const known = numbers.get(collection);
    if (known !== undefined) return known;
    const [row] = await database.query('SELECT number FROM fulltext_collection WHERE name = $1', [collection]);
    if (row !== undefined) numbers.set(collection, row['number'] as number);
    return (row?.['number'] as number | undefined) ?? null;
  }

  /** In a transaction that may be undone: nothing is remembered of it. */
  async function numberFor(collection: string): Promise<number> {
    await database.run('INSERT INTO fulltext_collection(name) VALUES ($1) ON CONFLICT DO NOTHING', [collection]);
    const [row] = await database.query('SELECT number FROM fulltext_collection WHERE name = $1', [collection]);
    return row!['number'] as number;
  }

  /** Everything of one turn or nothing; nothing of a turn before one that was seen. */
  const inTurn = (turn: number, work: () => Promise<void>): Promise<void> =>
    database.transaction(async () => {
      const seen = await database.run('UPDATE fulltext_turn SET turn = $1 WHERE turn <= $1', [turn]);
      if (seen === 0)
        throw new AppError('unavailable', 'RAG service is not ready.', { cause: 'another process is updating the searcher' });
      await work();
    });

  async function forget(ids: readonly number[]): Promise<void> {
    await database.run('DELETE FROM fulltext_chunk WHERE document = ANY($1::bigint[])', [ids]);
    await database.run('DELETE FROM fulltext_document WHERE document = ANY($1::bigint[])', [ids]);
  }

  async function take({ document }: Extract<Change, { is: 'there' }>): Promise<void> {
    const { id, collection, chunks } = document;
    const sql = `INSERT INTO fulltext_document AS known(document, chunks) VALUES ($1, $2)
      ON CONFLICT (document) DO UPDATE SET chunks = excluded.chunks
        WHERE known.chunks <> excluded.chunks OR (SELECT count(*) FROM fulltext_chunk WHERE document = $1) <> $2`;
    if ((await database.run(sql, [id, chunks])) === 0) return;
    await database.run('DELETE FROM fulltext_chunk WHERE document = $1', [id]);
    const number = await numberFor(collection);
    const words = new Set<string>();
    for await (const batch of document.read()) {
      await insert(id, number, batch);
      await insertWords(number, batch, words);
    }
  }

  async function insert(document: number, number: number, batch: readonly FollowedChunk[]): Promise<void> {
    const vectors = batch.map(({ terms }) => vectorOf(terms, number));
    await database.run(
      `INSERT INTO fulltext_chunk(id, document, terms)
        SELECT id, $1, terms::tsvector FROM unnest($2::bigint[], $3::text[]) AS chunk(id, terms)`,
      [document, batch.map(({ id }) => id), vectors],
    );
  }

  /** `before`: what the document's chunks had so far, nearly all of what the next ones have. */
  async function insertWords(number: number, batch: readonly FollowedChunk[], before: Set<string>): Promise<void> {
    const fresh: string[] = [];
    for (const { words } of batch)
      for (const word of words)
        if (!before.has(word)) {
          before.add(word);
          if (keptWord.test(word)) fresh.push(word);
        }
    if (fresh.length > 0) await database.run(wordsSql, [number, fresh]);
  }

  return {
    apply: (turn, changes) =>
      inTurn(turn, async () => {
        await forget(changes.flatMap((change) => (change.is === 'gone' ? change.id : [])));
        for (const change of changes) if (change.is === 'there') await take(change);
      }),
    clear: (turn) =>
      inTurn(turn, async () => void (await database.query('TRUNCATE fulltext_chunk, fulltext_document, fulltext_word'))),
    async find({ collection, terms, documents, limit }) {
      const number = await numberOf(collection);
      if (number === null || terms.length === 0 || documents?.size === 0) return { chunks: [], total: 0 };
      const lexemes = terms.map(({ term }) => lexemeOf(term, number));
      const values: unknown[] = [lexemes.join(' | '), lexemes, terms.map(({ weight }) => weight), limit];
      if (documents !== null) values.push([...documents]);
      const rows = await database.query(
        `SELECT id, count(*) OVER () AS total,
            (SELECT sum(weight * ts_rank(terms, term::tsquery, 1)) FROM unnest($2::text[], $3::float8[]) AS asked(term, weight)) AS score
          FROM fulltext_chunk WHERE terms @@ $1::tsquery ${documents === null ? '' : 'AND document = ANY($5::bigint[])'}
          ORDER BY score DESC, id LIMIT $4`,
        values,
      );
      return { chunks: rows.map((row) => row['id'] as number), total: (rows[0]?.['total'] as number | undefined) ?? 0 };
    },
    async count(collection, terms) {
      const number = await numberOf(collection);
      if (number === null || terms.length === 0) return new Map();
      const rows = await database.query(
        `SELECT (SELECT count(*) FROM (SELECT 1 FROM fulltext_chunk WHERE terms @@ lexeme::tsquery LIMIT ${countedMax}) AS few) AS n
          FROM unnest($1::text[]) WITH ORDINALITY AS asked(lexeme, place) ORDER BY place`,
        [terms.map((term) => lexemeOf(term, number))],
      );
      return new Map(terms.map((term, at) => [term, rows[at]!['n'] as number]));
    },
    async wordsLike(collection, word) {
      const number = await numberOf(collection);
      if (number === null || !keptWord.test(word)) return [];
      const sql = 'SELECT word FROM fulltext_word WHERE parts && $1::text[] LIMIT $2';
      const parts = [word, ...lessOne(word)].map((part) => `${number} ${part}`);
      return (await database.query(sql, [parts, wordsLikeMax])).map((row) => row['word'] as string);
    },
    async documents(after, limit) {
      // Chunks are counted as they are; those of a document that it does not know are too many, as is one that has none of its own.
      const sql = `SELECT document AS id, CASE WHEN bool_or(is_document) THEN count(*)::integer - 1 ELSE -1 END AS chunks
        FROM (SELECT document, true AS is_document FROM fulltext_document WHERE document > $1
          UNION ALL SELECT document, false FROM fulltext_chunk WHERE document > $1) AS had
        GROUP BY document ORDER BY document LIMIT $2`;
      return (await database.query(sql, [after, limit])) as { id: number; chunks: number }[];
    },
    close: () => Promise.resolve(),
  };
}

function vectorOf(terms: ReadonlyMap<string, number>, number: number): string {
  const lexemes: string[] = [];
  for (const [term, count] of terms) {
    if (lexemes.length === termsMax) break;
    const places = Array.from({ length: Math.min(count, repeatedMax) }, (_, at) => at + 1);
    lexemes.push(`${lexemeOf(term, number)}:${places.join(',')}`);
  }
  return lexemes.join(' ');
}

function lessOne(word: string): string[] {
  const letters = Array.from(word);
  return letters.map((_, at) => letters.toSpliced(at, 1).join(''));
}

/** Quoted, as a `tsvector` and a `tsquery` both read it. */
function lexemeOf(term: string, number: number): string {
  const text = `${number.toString(36)}:${term}`.replaceAll('\\', '\\\\').replaceAll("'", "''");
  return `'${text.replaceAll('\0', ' ')}'`;
}
