/**
 * What `migrate` changes under nobody: of which version the tables and terms are, and who finds. Whoever joins reads it and becomes an owner in
 * one transaction that has no `migrate` beside it, so either it reads what was changed or `migrate` sees the owner. Each decision reads it again,
 * and `migrate` changes nothing before the last decision that read it has ended: also one that was silent so long that it was thought dead, and
 * an owner whose row nobody keeps fresh, writes nothing for what was before. No clock is read.
 */
import { AppError } from '../../errors.ts';
import type { Database } from './database.ts';
import { schemaName } from './servers.ts';

/** As it was when a process joined. */
export interface Standing {
  /**
   * For the transaction of a decision, in which it holds until the end. Waits for nothing. Costs two short statements a transaction.
   * @throws AppError `unavailable` while it is changed, and ever after.
   */
  require(): Promise<void>;
}

const migrating = `hashtext('${schemaName}')`;
const deciding = `hashtext('${schemaName} decisions')`;
const notedSql = 'SELECT to_jsonb(version)::text AS tables, (SELECT name FROM searcher) AS searcher FROM version';

/** Until the end of the transaction nobody else migrates, and nobody joins. */
export async function holdJoining(database: Database): Promise<void> {
  await database.query(`SELECT pg_advisory_xact_lock(${migrating})`);
}

/** Waits for decisions that are being taken; until the end of the transaction there are no others. */
export async function holdDecisions(database: Database): Promise<void> {
  await database.query(`SELECT pg_advisory_xact_lock(${deciding})`);
}

/**
 * Does it in one transaction, while nobody migrates: `work` reads what is noted, and makes the process an owner. Waits for a `migrate`.
 * `onChange`: called when a decision is refused since something else is noted.
 */
export function joinStanding<T>(
  database: Database,
  work: (standing: Standing) => Promise<T>,
  onChange: () => void = () => undefined,
): Promise<T> {
  return database.transaction(async () => {
    await database.query(`SELECT pg_advisory_xact_lock_shared(${migrating})`);
    return work(createStanding(database, (await hasTables(database)) ? await noted(database) : '', onChange));
  });
}

function createStanding(database: Database, joinedBy: string, onChange: () => void): Standing {
  return {
    require: () =>
      database.once('standing', async () => {
        // Not waited for: whoever decides may hold what `migrate` waits for. Read behind it: what is seen is as new as the statement.
        const [lock] = await database.query(`SELECT pg_try_advisory_xact_lock_shared(${deciding}) AS got`);
        if (lock?.['got'] !== true) throw refused('"rag-intake migrate" changes this database');
        if ((await noted(database)) === joinedBy) return;
        onChange();
        throw refused('"rag-intake migrate" has changed this database since this process joined');
      }),
  };
}

/** Where there are none, or older ones, `work` refuses. */
async function hasTables(database: Database): Promise<boolean> {
  const [row] = await database.query(`SELECT to_regclass('${schemaName}.searcher') IS NOT NULL AS there`);
  return row?.['there'] === true;
}

async function noted(database: Database): Promise<string> {
  return JSON.stringify(await database.query(notedSql));
}

function refused(cause: string): AppError {
  return new AppError('unavailable', 'RAG service is not ready.', { cause });
}
