/** The limit of `small`: the first argument says where to write. One process, one transaction a document, flushed before the answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [dataDir] = process.argv.slice(2) as [string];
const db = new DatabaseSync(join(dataDir, 'limit.sqlite'));
db.exec('PRAGMA journal_mode = WAL');
db.exec('PRAGMA synchronous = FULL');
db.exec('CREATE TABLE document(id INTEGER PRIMARY KEY, doc_id TEXT NOT NULL UNIQUE, version TEXT NOT NULL, body TEXT NOT NULL)');
db.exec("CREATE VIRTUAL TABLE words USING fts5(body, content = 'document', content_rowid = 'id', tokenize = 'porter')");
const insertDocument = db.prepare('INSERT INTO document(doc_id, version, body) VALUES (?, ?, ?)');
const insertWords = db.prepare('INSERT INTO words(rowid, body) VALUES (?, ?)');

const server = createServer((request, response) => {
  void bodyOf(request).then((body) => {
    const version = randomUUID();
    store(new URL(request.url!, 'http://limit').pathname, version, body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ task_id: version, status: 'completed' }));
  });
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function store(docId: string, version: string, body: string): void {
  db.exec('BEGIN IMMEDIATE');
  const { lastInsertRowid } = insertDocument.run(docId, version, body);
  insertWords.run(lastInsertRowid, body);
  db.exec('COMMIT');
}
