/**
 * The part of a document index that decides a task's fate (replace, revoke, fences), in one small SQLite file, so that
 * engines are tested across processes without parsing or searching anything.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DocumentIndex, IndexedDocument } from '../../src/search/document-index.ts';
import { patched, withKept } from '../../src/search/said.ts';
import { versionOf } from '../../src/search/index/staging.ts';
import { isLater, noTask, type TaskId, type Version } from '../../src/tasks/task.ts';

export function openArbiterIndex(indexDir: string): Promise<DocumentIndex> {
  const db = new DatabaseSync(join(indexDir, 'arbiter.db'));
  db.exec('pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal');
  db.exec(`create table if not exists documents (docId text primary key, version text not null, document text not null);
    create table if not exists fences (docId text primary key, version text not null, ordinal integer not null);
    create table if not exists committed (docId text, version text, primary key (docId, version));
    create table if not exists revoked (docId text, version text, primary key (docId, version));
    create table if not exists switches (docId text, version text)`);

  function decide<T>(work: () => T): Promise<T> {
    db.exec('begin immediate');
    try {
      const result = work();
      db.exec('commit');
      return Promise.resolve(result);
    } catch (error) {
      db.exec('rollback');
      return Promise.reject(error as Error);
    }
  }

  const has = (table: string, docId: string, version: TaskId): boolean =>
    db.prepare(`select 1 from ${table} where docId = ? and version = ?`).get(docId, version) !== undefined;

  const fenceOf = (docId: string): Version | undefined =>
    db.prepare('select version as id, ordinal from fences where docId = ?').get(docId) as Version | undefined;

  const moveFence = (docId: string, version: Version): void => {
    const before = fenceOf(docId);
    if (before === undefined || isLater(version, before))
      db.prepare('insert or replace into fences values (?, ?, ?)').run(docId, version.id, version.ordinal);
  };

  function admit(docId: string, version: Version): 'ok' | 'stale' | 'revoked' | 'again' {
    if (has('committed', docId, version.id)) return 'again';
    if (has('revoked', docId, version.id)) return 'revoked';
    const fence = fenceOf(docId);
    if (fence !== undefined && isLater(fence, version)) return 'stale';
    db.prepare('insert into committed values (?, ?)').run(docId, version.id);
    moveFence(docId, version);
    return 'ok';
  }

  const info = (docId: string): IndexedDocument | null => {
    const row = db.prepare('select document from documents where docId = ?').get(docId) as { document: string } | undefined;
    return row === undefined ? null : (JSON.parse(row.document) as IndexedDocument);
  };

  return Promise.resolve({
    replace: (document, folder) =>
      decide(() => {
        if (!existsSync(join(folder, 'meta.json'))) throw new Error(`not a published folder: ${folder}`);
        const answer = admit(document.docId, versionOf(document));
        if (answer === 'again') return 'ok';
        if (answer !== 'ok') return answer;
        db.prepare('insert or replace into documents values (?, ?, ?)').run(
          document.docId,
          document.version,
          JSON.stringify(withKept(document, info(document.docId))),
        );
        db.prepare('insert into switches values (?, ?)').run(document.docId, document.version);
        return 'ok';
      }),
    chunks: (docId) => {
      const document = info(docId);
      return Promise.resolve(document === null ? null : { document, chunks: [] });
    },
    change: (docId, patch) =>
      decide(() => {
        const current = info(docId);
        if (current === null) return null;
        const document = patched(current, patch);
        db.prepare('update documents set document = ? where docId = ?').run(JSON.stringify(document), docId);
        return document;
      }),
    touch: (docId, version, change) =>
      decide(() => {
        const current = info(docId);
        if (current === null) return 'stale';
        const answer = admit(docId, version);
        if (answer === 'again') return 'ok';
        if (answer !== 'ok') return answer;
        db.prepare('update documents set document = ? where docId = ?').run(JSON.stringify({ ...current, ...change }), docId);
        return 'ok';
      }),
    revoke: (docId, version) =>
      decide(() => {
        if (has('committed', docId, version.id)) return 'committed';
        db.prepare('insert or ignore into revoked values (?, ?)').run(docId, version.id);
        return 'ok';
      }),
    reinstate: (docId, version) =>
      decide(() => void db.prepare('delete from revoked where docId = ? and version = ?').run(docId, version)),
    remove: (docId, ordinal) =>
      decide(() => {
        moveFence(docId, { id: noTask, ordinal });
        if ((info(docId)?.ordinal ?? Infinity) > ordinal) return false;
        return db.prepare('delete from documents where docId = ?').run(docId).changes > 0;
      }),
    removeMany: (docIds, ordinal) =>
      decide(() => {
        for (const docId of docIds) {
          moveFence(docId, { id: noTask, ordinal });
          if ((info(docId)?.ordinal ?? Infinity) <= ordinal) db.prepare('delete from documents where docId = ?').run(docId);
        }
      }),
    collectionStats: () => Promise.resolve(new Map()),
    recount: () => Promise.resolve(),
    info: (docId) => Promise.resolve(info(docId)),
    wasCommitted: (docId, version) => Promise.resolve(has('committed', docId, version)),
    list: () => {
      const rows = db.prepare('select document from documents order by version desc').all() as { document: string }[];
      return Promise.resolve({ documents: rows.map((row) => JSON.parse(row.document) as IndexedDocument), nextCursor: null });
    },
    search: () => Promise.resolve({ hits: [], total: 0, tookMs: 0, notice: null, shownFor: null }),
    stats: () => Promise.resolve({ documents: db.prepare('select 1 from documents').all().length, chunks: 0, bytes: 0 }),
    purge: () => Promise.resolve(),
    highestOrdinal: () =>
      Promise.resolve((db.prepare('select max(ordinal) as highest from fences').get()!['highest'] as number | null) ?? 0),
    close: () => {
      if (db.isOpen) db.close();
      return Promise.resolve();
    },
  });
}

/** How often each version was made searchable, from the file of a closed index: never more than once when all is well. */
export function switchCounts(indexDir: string): Map<string, number> {
  const db = new DatabaseSync(join(indexDir, 'arbiter.db'), { readOnly: true });
  const rows = db.prepare('select version, count(*) as count from switches group by version').all() as {
    version: string;
    count: number;
  }[];
  db.close();
  return new Map(rows.map(({ version, count }) => [version, count]));
}
