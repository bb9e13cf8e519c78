import type { Node } from '../../graph/types.ts';
import type { Loop } from './loop.ts';
import type { TimePlace } from './place.ts';
import { layerOf, refuse } from './refusal.ts';

/** A value with frames along time, of which a stream computes the last ones of the window that ends at a hop. */
export interface Frames {
  readonly place: TimePlace;
  /** Frames in a window. */
  readonly size: number;
  /** Frames of the input from a frame to the next one. */
  readonly stride: number;
  /** Frames at the end of a window that need input behind it. */
  readonly ahead: number;
  /** Layer that looks ahead. */
  readonly by?: string | undefined;
  /** Zeros stand before the first frame, put there by a layer. */
  readonly isPadded: boolean;
  /** Recurrent layers before it. */
  readonly depth: number;
}

/** A value of one step of an unrolled recurrent layer. */
export interface Step {
  readonly step: number;
  readonly loop: Loop;
}

/** `still`: the same for all inputs. `window`: one value for the window. */
export type Info = 'still' | 'window' | Frames | Step;

export function isFrames(info: Info): info is Frames {
  return typeof info === 'object' && 'place' in info;
}

export function isStep(info: Info): info is Step {
  return typeof info === 'object' && 'loop' in info;
}

export function looksAhead(node: Node, { ahead, by }: Frames): never {
  return refuse(
    by ?? layerOf(node),
    `looks ahead: its last ${ahead === 1 ? 'frame needs input that follows' : `${ahead} frames need input that follows`}`,
  );
}
