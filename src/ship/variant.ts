import type { OnnxContent } from '../formats/onnx/large.ts';
import type { Skipped } from '../base/skipped.ts';
import type { StreamForm, StreamGraph } from '../convert/streams.ts';
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

/** Stream that a file is written from, and the way its past is stored in TFLite files. */
type MadeStream = StreamGraph & Pick<StreamForm, 'storePasts'>;

/**
 * Bytes of a file of this graph. `output`: what it answers with, where that is not what the task says. `stream`: the stream whose graph it is, so that
 * metadata and scales are the stream's.
 */
export type MakeFile = (
  graph: Graph,
  output?: FileOutputs,
  stream?: MadeStream,
) => { readonly bytes: OnnxContent; readonly skipped: readonly Skipped[] };
