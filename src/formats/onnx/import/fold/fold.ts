import type { OnnxNode } from '../../model.ts';
import type { Import } from '../context.ts';
import type { KnownTensor } from './known.ts';

/** Computes a node's outputs from known inputs while the file is read. */
export type Fold = (inputs: readonly KnownTensor[], node: OnnxNode, c: Import) => KnownTensor | readonly KnownTensor[];
