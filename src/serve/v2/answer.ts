import { datatypeOf } from '../dtypes.ts';
import { MODEL_VERSION } from '../model.ts';
import type { ReadingModel } from '../reading/model.ts';
import type { WireTensor } from '../types.ts';
import { bytesOfTexts, classified } from './classification.ts';
import { jsonFrom } from './json-tensor.ts';
import type { ParsedRequest } from './request.ts';

export interface EncodedAnswer {
  /** Length of the JSON in front of binary data; absent: all is JSON. */
  readonly headerLength?: number;
  readonly parts: readonly Uint8Array[];
}

export function encodeAnswer(
  model: Pick<ReadingModel, 'name' | 'labels'>,
  { id, wanted, allBinary }: Pick<ParsedRequest, 'id' | 'wanted' | 'allBinary'>,
  outputs: readonly WireTensor[],
): EncodedAnswer {
  const binary: Uint8Array[] = [];
  const texts = outputs.map((output) => {
    const how = wanted.get(output.name) ?? { binary: allBinary, classes: 0 };
    const labelled = how.classes > 0 ? classified(model, output, how.classes) : undefined;
    const shape = labelled?.shape ?? output.shape;
    const head = `{"name":${JSON.stringify(output.name)},"datatype":"${labelled === undefined ? datatypeOf(output.dtype) : 'BYTES'}","shape":[${shape.join(',')}]`;
    if (how.binary) {
      const bytes = labelled === undefined ? output.bytes : bytesOfTexts(labelled.values);
      binary.push(bytes);
      return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
    }
    return `${head},"data":${labelled === undefined ? jsonFrom(output) : JSON.stringify(labelled.values)}}`;
  });
  const name = `{"model_name":${JSON.stringify(model.name)},"model_version":"${MODEL_VERSION}"`;
  const own = id === undefined ? '' : `,"id":${JSON.stringify(id)}`;
  const json = Buffer.from(`${name}${own},"outputs":[${texts.join(',')}]}`);
  return binary.length === 0 ? { parts: [json] } : { headerLength: json.length, parts: [json, ...binary] };
}
