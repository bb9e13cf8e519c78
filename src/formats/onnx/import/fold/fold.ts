import type { OnnxNode } from '../../model.ts';
import type { Import } from '../context.ts';
import type { KnownTensor } from './known.ts';

/** Function that computes the outputs of a node when the file is read, from inputs that are known by then. */
export type Fold = (inputs: readonly KnownTensor[], node: OnnxNode, c: Import) => KnownTensor | readonly KnownTensor[];
