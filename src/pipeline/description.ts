import { z } from 'zod';
import type { InputDescription, ModelDescription } from '../formats/tflite/metadata.ts';

/** What `preprocessing` in the metadata of an ONNX file says: (value * scale - mean) / std, channel by channel. */
const preparation = z.object({
  shape: z.array(z.number()),
  scale: z.number().positive(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});
type Preparation = z.infer<typeof preparation>;

/** The metadata of a TFLite file from those of the ONNX file of the same model; what is not there, or not sound, is left out. */
export function descriptionFrom(name: string, metadata: ReadonlyMap<string, string>, input: string): ModelDescription {
  const labels = z.array(z.coerce.string()).safeParse(jsonOf(metadata.get('labels'))).data;
  const prepared = preparation.safeParse(jsonOf(metadata.get('preprocessing'))).data;
  const [output, version] = [metadata.get('output'), metadata.get('recipeSha256')];
  const sentences = [
    'Made by limbeck.',
    ...(labels === undefined ? [] : [`Gives one of ${labels.length} classes.`]),
    ...(output === 'logits' ? ['Outputs are logits: softmax makes probabilities of them.'] : []),
  ];
  return {
    name,
    description: sentences.join(' '),
    // A recipe has no number that people gave it: this tells one from another.
    ...(version === undefined ? {} : { version: version.slice(0, 12) }),
    ...only('author', metadata),
    ...only('license', metadata),
    ...(prepared === undefined ? {} : { inputs: { [input]: inputOf(prepared) } }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function only(key: 'author' | 'license', metadata: ReadonlyMap<string, string>): { [K in typeof key]?: string } {
  const value = metadata.get(key);
  return value === undefined ? {} : { [key]: value };
}

/** The format has (value - mean) / std, so that both are divided by the scale. */
function inputOf({ shape, scale, mean, std }: Preparation): InputDescription {
  const description = `Values of shape ${shape.join('×')}, prepared as (value * ${scale} - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')}.`;
  const channels = shape.at(-1);
  if (shape.length !== 3 || (channels !== 1 && channels !== 3)) return { description };
  const colorSpace = channels === 1 ? 'grayscale' : 'rgb';
  const scaled = (values: readonly number[]): number[] => values.map((value) => value / scale);
  return { description, image: { colorSpace, mean: scaled(mean), std: scaled(std) } };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
