import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests that are not answered, and the last one; `complete`: it has come whole. */
  requests: number;
  last: { readonly complete: boolean } | undefined;
}

/**
 * The open connections over HTTP or gRPC, also those without a finished handshake. An address has `most` of them: a further one takes the place of the one
 * that has been without a whole request for longest, or is closed before anything is read where all have requests that are answered.
 */
export class Connections {
  readonly #most: number;
  /** By address, the one that was answered last at the end. */
  readonly #open = new Map<string, Set<Connection>>();
  readonly #bySocket = new WeakMap<Socket, Connection>();

  constructor(most: number) {
    this.#most = most;
  }

  get sockets(): readonly Socket[] {
    return [...this.#open.values()].flatMap((own) => [...own].map(({ socket }) => socket));
  }

  add(socket: Socket): void {
    const { remoteAddress: address = '' } = socket;
    const own = this.#open.get(address) ?? new Set();
    if (own.size >= this.#most) {
      const idle = [...own].find(({ requests, last }) => requests === 0 || last?.complete !== true);
      (idle?.socket ?? socket).destroy();
      if (idle === undefined) return;
      own.delete(idle);
    }
    const connection: Connection = { socket, requests: 0, last: undefined };
    this.#open.set(address, own.add(connection));
    this.#bySocket.set(socket, connection);
    socket.once('close', () => {
      own.delete(connection);
      if (own.size === 0 && this.#open.get(address) === own) this.#open.delete(address);
    });
  }

  /** A connection whose handshake of TLS is done, or which is one of HTTP/2: its requests name another object for its socket. */
  secured(socket: Socket): void {
    for (const connection of this.#open.get(socket.remoteAddress ?? '') ?? [])
      if (connection.socket.remotePort === socket.remotePort) this.#bySocket.set(socket, connection);
  }

  asked(socket: Socket, request: { readonly complete: boolean }): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    connection.requests++;
    connection.last = request;
  }

  answered(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    connection.requests--;
    const own = this.#open.get(socket.remoteAddress ?? '');
    if (own?.delete(connection) === true) own.add(connection);
  }
}
