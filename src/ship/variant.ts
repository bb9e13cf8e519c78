import type { OnnxContent } from '../formats/onnx/large.ts';
import type { Skipped } from '../base/skipped.ts';
import type { Graph } from '../graph/types.ts';
import type { FileOutputs } from '../recipe/answer-forms.ts';
import type { ShipContext } from './context.ts';
import type { ModelFile } from './model-file.ts';

/** Parts of the context that describe the model in a file's metadata. */
export type DescribedBy = Pick<ShipContext, 'recipe' | 'written' | 'data' | 'threshold'>;

/** One file to make of an inference graph. */
export interface Variant extends Pick<ModelFile, 'format' | 'precision'> {
  readonly make: MakeFile;
}

/** Bytes of a file of this graph. `output`: what it answers with, where that is not what the task says. */
export type MakeFile = (
  graph: Graph,
  output?: FileOutputs,
) => { readonly bytes: OnnxContent; readonly skipped: readonly Skipped[] };
