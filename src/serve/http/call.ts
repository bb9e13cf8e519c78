import type { Held } from './unread.ts';
import type { IncomingMessage } from 'node:http';
import type { Client } from '../batch/queue.ts';
import type { ModelHost } from '../host.ts';

export interface Call {
  readonly request: IncomingMessage;
  /** Parts of the path, decoded. */
  readonly path: readonly string[];
  /** Query of the address, the part behind its `?`. */
  readonly query: URLSearchParams;
  /** Read when asked for, and as much as this kind of a body may have. */
  readonly body: (kind: BodyKind) => Promise<Buffer>;
  readonly client: Client;
  /** Memory of its answer. */
  readonly held: Held;
}

/** Kinds of bodies: values as JSON or text, bytes of tensors or of files, and what little a command to the server takes. */
export type BodyKind = 'json' | 'binary' | 'command';

export interface Site {
  readonly host: ModelHost;
  readonly version: string;
  readonly device: string;
  /** Bytes of JSON, and of numbers as fields of a message over gRPC. */
  readonly maxJson: number;
  /** True if a word that train does not have is refused. */
  readonly isStrict: boolean;
  /** True if scrapers of the metrics need no token. */
  readonly openMetrics: boolean;
  readonly metrics: () => Promise<{ readonly text: string; readonly type: string }>;
}
