import type { OnnxNode } from '../../model.ts';
import type { Import } from '../context.ts';
import type { Known } from './known.ts';

/** What a node gives whose inputs are known when the file is read. */
export type Fold = (inputs: readonly Known[], node: OnnxNode, c: Import) => Known | readonly Known[];
