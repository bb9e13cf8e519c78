import type { ProposedWord } from '../words.ts';
import type { Writing } from './request.ts';

/** A job for the process that writes. */
export interface WriteMessage {
  readonly type: 'write';
  readonly id: number;
  /** Key of the model; each loading gets a new one. */
  readonly key: string;
  readonly file: string;
  /** SHA-256 of the file when it was loaded. */
  readonly sha256: string;
  readonly prompts: readonly string[];
  readonly writing: Writing;
}

/** Nobody waits for this job any more. */
export interface EndMessage {
  readonly type: 'end';
  readonly id: number;
}

/** Text that is written behind a prompt. */
export interface WrittenPart {
  readonly index: number;
  readonly text: string;
  readonly finish?: 'stop' | 'length' | undefined;
  readonly words?: readonly ProposedWord[];
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Message of the process that writes: `usage` is the last one of a job, and so are `refusal` and `bug`. */
export type FromWriter =
  | { readonly type: 'part'; readonly id: number; readonly part: WrittenPart }
  | { readonly type: 'usage'; readonly id: number; readonly usage: Usage }
  | { readonly type: 'refusal'; readonly id: number; readonly status: number; readonly message: string }
  | { readonly type: 'bug'; readonly id: number; readonly stack: string };
