import { parsedJson } from '../../base/json.ts';
import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { typedView } from './json-tensor.ts';

/** The `k` largest values of each sample, `value:index` or `value:index:label`, in the order of their size. */
export function classified(
  { labels }: { readonly labels: readonly string[] | undefined },
  output: WireTensor,
  k: number,
): { shape: number[]; values: string[] } {
  const { name, dtype, shape, bytes } = output;
  if (shape.length < 2 || dtype === 'float16') {
    throw new Refusal(400, `output ${name} cannot be asked for as classes: it has the shape [${shape.join(', ')}]`);
  }
  const data = typedView(dtype, shape, bytes);
  const [samples] = shape;
  const size = data.length / samples!;
  const count = Math.min(k, size);
  const values: string[] = [];
  for (let sample = 0; sample < samples!; sample++) {
    const own = Array.from({ length: size }, (_, i) => Number(data[sample * size + i]));
    if (own.some(Number.isNaN))
      throw new Refusal(400, `output ${name} holds NaN, which has no place among classes: ask for binary data`);
    const order = own.map((_, i) => i).sort((a, b) => own[b]! - own[a]! || a - b);
    for (const i of order.slice(0, count)) {
      const label = labels?.length === size ? `:${labels[i]!}` : '';
      values.push(`${own[i]!.toFixed(6)}:${i}${label}`);
    }
  }
  return { shape: [samples!, count], values };
}

export function labelsOf({ metadata }: Pick<ServedModel, 'metadata'>): readonly string[] | undefined {
  try {
    const labels: unknown = parsedJson(metadata.get('labels') ?? '');
    return Array.isArray(labels) ? labels.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Texts as the protocol has them: the length of each (uint32), then its bytes. */
export function bytesOfTexts(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
