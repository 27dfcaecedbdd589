/** A TCP connection's way through this process, which can be cut and mended: what happens to a host that loses its network. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type CuttableLink = AsyncDisposable & {
  readonly port: number;
  /** Ends every connection, and every one that is made until `mend`. */
  cut(): void;
  /** Passes nothing on until `mend`, and ends nothing: whoever talks over it gets no answer, and whoever connects neither. */
  freeze(): void;
  /** The next COMMIT arrives, but its answer does not: the connection ends instead. Resolves when that has happened. */
  loseCommit(): Promise<void>;
  mend(): void;
};

/** Listens on a free port and passes everything on to another one of this machine. */
export async function openCuttableLink(toPort: number): Promise<CuttableLink> {
  /** Each with the one that hears what it says. */
  const sockets = new Map<Socket, Socket>();
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  let losing: (() => void) | null = null;
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const far = connect(toPort, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.set(socket, other);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (state === 'whole') socket.pipe(other);
    }
    near.on('data', (data: Buffer) => {
      if (losing === null || !data.includes('COMMIT')) return;
      const lost = losing;
      losing = null;
      far.unpipe(near);
      far.once('data', () => {
        near.destroy();
        lost();
      });
      far.resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => sockets.forEach((_other, socket) => socket.destroy());

  return {
    port: (server.address() as { port: number }).port,
    cut() {
      state = 'cut';
      end();
    },
    freeze() {
      state = 'frozen';
      for (const [socket, other] of sockets) socket.unpipe(other);
    },
    loseCommit: () => new Promise((resolve) => (losing = resolve)),
    mend() {
      if (state === 'frozen') for (const [socket, other] of sockets) socket.pipe(other);
      state = 'whole';
    },
    async [Symbol.asyncDispose]() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
