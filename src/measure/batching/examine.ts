import { namesIn } from '../../files/stated.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { ModelFacts } from './facts.ts';
import { probe } from './probe.ts';

/** Samples of the largest batch that is tried: enough to see whether samples change each other's answers. */
const TRIED = 4;

/** Facts about a file: its inputs and outputs, its labels, and whether its samples can be batched. */
export function examine(
  bytes: Uint8Array,
  file: string,
): { readonly facts: ModelFacts; readonly labels: readonly string[] | undefined } {
  const { metadata } = decodeModel(bytes, file);
  const model = new InferenceModel(bytes, file, { intraOpNumThreads: 1 });
  try {
    const { inputs, outputs } = model;
    const facts = probe((feeds, wanted) => model.runNow(feeds, wanted), { inputs, outputs, maxBatch: TRIED });
    return { facts, labels: namesIn(metadata, 'labels') };
  } finally {
    model.dispose();
  }
}
