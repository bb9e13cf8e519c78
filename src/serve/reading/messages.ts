import { padded } from '../worker/frames.ts';
import type { FailureReason } from '../refusal.ts';
import { pack, unpack } from './pack.ts';
import type { JobKind } from './jobs.ts';
import type { ReadingModel } from './model.ts';

/** Bytes of the parts of a body: the packed value, then its arrays. */
interface Sized {
  readonly sizes: readonly number[];
}

/** Head of a message of jobs, a `JobContent[]`, and of one of their outcomes, a `ReadingOutcome[]` in the same order. */
export type BatchMessage = Sized;

export interface JobContent {
  readonly kind: JobKind;
  /** Name of the model, which comes along where the process does not have it yet. */
  readonly name: string;
  readonly model?: ReadingModel;
  readonly given: unknown;
}

export type ReadingOutcome =
  | { readonly found: unknown }
  | { readonly refusal: { readonly status: number; readonly message: string; readonly reason: FailureReason } }
  | { readonly bug: string };

/** A value as the parts of a message, and their sizes for its head. */
export function packedParts(value: unknown): Sized & { readonly parts: readonly (readonly Uint8Array[])[] } {
  const { plain, arrays } = pack(value);
  const all = [plain, ...arrays];
  return { sizes: all.map(({ length }) => length), parts: all.map((part) => [part]) };
}

/** The value in the body of a message. Its arrays are views of the body. */
export function valueIn({ sizes }: Sized, body: Uint8Array): unknown {
  let at = 0;
  const [plain, ...arrays] = sizes.map((size) => {
    const part = body.subarray(at, at + size);
    at += padded(size);
    return part;
  });
  return unpack({ plain: plain!, arrays });
}
