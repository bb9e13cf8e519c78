import { UserError } from '../../base/errors.ts';
import type { Node } from '../../graph/types.ts';

/** A layer as a message names it. */
export function layerOf({ layer, op, outputs }: Node): string {
  return layer === undefined ? `${op} ${outputs[0]!}` : `layer ${layer}`;
}

const REMEDY =
  'A stream is made of layers that look back only: causal convolutions (zeros before the first frame, none behind the last), convolutions without padding, pooling, GRU, LSTM and dense layers.';

/** A convolution takes the axis of time for its channels. */
export class MixedChannels extends UserError {
  constructor(node: Node) {
    super(`no stream: ${layerOf(node)} takes the frames for its channels`, REMEDY);
  }
}

export function refuse(node: Node | string, why: string): never {
  throw new UserError(`no stream: ${typeof node === 'string' ? node : layerOf(node)} ${why}`, REMEDY);
}
