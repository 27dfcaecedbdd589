/** A TCP connection's way through this process, which can be cut and mended: what happens to a host that loses its network. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type CuttableLink = AsyncDisposable & {
  readonly port: number;
  /** Ends every connection, and every one that is made until `mend`. */
  cut(): void;
  mend(): void;
};

/** Listens on a free port and passes everything on to another one of this machine. */
export async function openCuttableLink(toPort: number): Promise<CuttableLink> {
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect(toPort, '127.0.0.1');
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
  const end = (): void => sockets.forEach((socket) => socket.destroy());

  return {
    port: (server.address() as { port: number }).port,
    cut() {
      whole = false;
      end();
    },
    mend() {
      whole = true;
    },
    async [Symbol.asyncDispose]() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
