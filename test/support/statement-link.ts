/** A way to a PostgreSQL server that reads along: which statements go over it, and which of them are one transaction. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** The statements of one transaction in their order, each as its first line reads. */
export type SeenTransaction = readonly string[];

export type StatementLink = AsyncDisposable & {
  readonly port: number;
  /** What was committed or undone since the last call; not what is open. */
  take(): SeenTransaction[];
};

/** Listens on a free port and passes everything on to a server of this machine. */
export async function openStatementLink(toPort: number): Promise<StatementLink> {
  const sockets = new Set<Socket>();
  let seen: SeenTransaction[] = [];
  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    const session = createSession((transaction) => void seen.push(transaction));
    near.on('data', createReader(session.asked, { startsBare: true }));
    far.on('data', createReader(session.answered, { startsBare: false }));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type OnMessage = (kind: string, body: Buffer) => void;

/** Cuts a stream into the messages of the protocol. A client's first one has no kind. */
function createReader(onMessage: OnMessage, { startsBare }: { startsBare: boolean }): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  let bare = startsBare;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const head = bare ? 0 : 1;
      if (rest.length < head + 4) return;
      const end = head + rest.readInt32BE(head);
      if (rest.length < end) return;
      if (!bare) onMessage(String.fromCharCode(rest[0]!), rest.subarray(5, end));
      bare = false;
      rest = rest.subarray(end);
    }
  };
}

function createSession(onTransaction: (transaction: SeenTransaction) => void): { asked: OnMessage; answered: OnMessage } {
  const prepared = new Map<string, string>();
  let statements: string[] = [];
  return {
    asked(kind, body) {
      const texts = body.toString('utf8').split('\0');
      if (kind === 'Q') statements.push(firstLine(texts[0]!));
      // The name, then the text; and of what is bound: where it goes, then the name.
      if (kind === 'P') prepared.set(texts[0]!, firstLine(texts[1]!));
      if (kind === 'B') statements.push(withNews(prepared.get(texts[1]!) ?? 'unknown', body));
    },
    answered(kind, body) {
      if (kind !== 'Z' || String.fromCharCode(body[0]!) !== 'I' || statements.length === 0) return;
      onTransaction(statements);
      statements = [];
    },
  };
}

/** With what a notification is of. */
function withNews(statement: string, body: Buffer): string {
  if (!statement.includes('pg_notify')) return statement;
  const kinds = body.toString('latin1').match(/(?<=[{",])(job|step|end|cancel|missed)(?=[ "},])/g) ?? [];
  return `${statement} of ${[...new Set(kinds)].sort().join(', ')}`;
}

function firstLine(sql: string): string {
  return sql.trim().replaceAll(/\s+/g, ' ').slice(0, 120);
}
