import { tensorType } from '../schema/tensor-types.ts';
import { appendFiles } from '../metadata/archive.ts';
import { ENTRIES_NAME } from '../metadata/entries.ts';
import { encodeTextMetadata } from '../metadata/text.ts';
import type { TextDescription } from '../metadata/text.ts';
import { METADATA_NAME } from '../metadata/metadata.ts';
import { readTflite } from '../read.ts';
import type { Operator } from '../types.ts';
import { writeTflite } from '../write.ts';
import { ModelEditor } from './editor.ts';
import type { AnswerEnd } from './editor.ts';

export interface TextEnds extends AnswerEnd {
  /** Tokens of a text. */
  readonly length: number;
  /** Id of padding that the model was trained with; the tokenizer of BERT in MediaPipe pads with 0. */
  readonly padding: number;
}

/** Names by which MediaPipe finds the inputs of its tokenizer of BERT, and the names of the same inputs in our models of several inputs. */
const PARTS = { ids: 'input_ids', mask: 'attention_mask', segment_ids: 'token_type_ids' } as const;
type Part = keyof typeof PARTS;

/**
 * A `.tflite` file of a text model as MediaPipe's TextClassifier and TextEmbedder open it: inputs int32 [1, length] of its tokenizer, the padding, the casts
 * and the last function inside, tokenizer and labels in its metadata. The answers are those of the file, which takes ids, or ids, mask and types.
 */
export function withTextEnds(
  bytes: Uint8Array,
  { length, padding, activation, answer }: TextEnds,
  description: TextDescription,
): Uint8Array {
  const model = readTflite(bytes);
  const { tensors, inputs, outputs } = model.subgraphs[0]!;
  const editor = new ModelEditor(model);
  const [before, after]: [Operator[], Operator[]] = [[], []];
  const shape = [1, length];
  const int32 = tensorType('int32');
  const isBert = description.tokenizer.kind === 'bert';
  const parts: readonly Part[] = isBert ? ['ids', 'mask', 'segment_ids'] : ['ids'];
  const isPadded = isBert && padding !== 0;
  const ownOf = (part: Part): number | undefined => {
    if (inputs.length > 1) return inputs.find((i) => tensors[i]!.name === PARTS[part]);
    return part === 'ids' ? inputs[0] : undefined;
  };
  const fed = new Map<Part, number>();
  for (const part of parts) {
    const own = ownOf(part);
    const isOwn = own !== undefined && tensors[own]!.type === int32 && !(part === 'ids' && isPadded);
    if (isOwn) editor.rename(own, part);
    else if (own !== undefined) editor.rename(own, `${part}/own`);
    fed.set(part, isOwn ? own : editor.tensor(part, 'int32', shape));
  }
  const whole = { type$: 'AddOptions' };
  for (const part of parts) {
    const own = ownOf(part);
    if (own === undefined || own === fed.get(part)) continue;
    const isFloat = tensors[own]!.type !== int32;
    let ids = fed.get(part)!;
    if (part === 'ids' && isPadded) {
      // ids + (padding - padding · mask), as ids are 0 where the mask is.
      const mask = fed.get('mask')!;
      const less = editor.tensor('padding/less', 'int32', shape);
      const missing = editor.tensor('padding/missing', 'int32', shape);
      const padded = isFloat ? editor.tensor('padding/ids', 'int32', shape) : own;
      const minus = editor.constant('padding/minus', Int32Array.of(-padding));
      const plus = editor.constant('padding/plus', Int32Array.of(padding));
      before.push(
        editor.operator({ op: 'MUL', inputs: [mask, minus], output: less, options: { type$: 'MulOptions' } }),
        editor.operator({ op: 'ADD', inputs: [less, plus], output: missing, options: whole }),
        editor.operator({ op: 'ADD', inputs: [ids, missing], output: padded, options: whole }),
      );
      ids = padded;
    }
    const options = { type$: 'CastOptions', inDataType: int32, outDataType: tensors[own]!.type };
    if (isFloat) before.push(editor.operator({ op: 'CAST', inputs: [ids], output: own, options }));
  }
  const [logits] = outputs as readonly [number];
  const last = editor.answer(logits, { activation, answer }, after);
  const changed = editor.finished(
    parts.map((part) => fed.get(part)!),
    [last],
    { before, after },
    { [METADATA_NAME]: encodeTextMetadata(model, parts, answer, description), [ENTRIES_NAME]: undefined },
  );
  return appendFiles(writeTflite(changed), description.files);
}
