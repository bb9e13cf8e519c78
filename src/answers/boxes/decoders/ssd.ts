import type { ModelValue } from '../../../runtime/inference.ts';
import { checkProbabilities, otherLayout } from './decoder.ts';
import type { Decoder, Output } from './decoder.ts';
import { scoresOfLabels } from './labels.ts';

/** Three outputs of final boxes, as torchvision's detectors and TensorFlow's detection API give them: boxes [n, 4], labels [n] and scores [n]. */
export const ssd: Decoder = {
  isOpen: true,
  find: (outputs) => {
    const named = ['boxes', 'labels', 'scores'].map((part) => outputs.find(({ name }) => isNamed(name, part)));
    return named.every((output) => output !== undefined) ? named : told(outputs);
  },
  decode: (outputs, options) => {
    const { file, order } = options;
    const parts = outputs.map(withoutBatch);
    const [boxes, labels, scores] = parts as [Output, Output, Output];
    const n = scores.data.length;
    if (boxes.shape.length !== 2 || boxes.data.length !== 4 * n || labels.data.length !== n)
      throw otherLayout(
        file,
        'boxes [n, 4], labels [n] and scores [n]',
        parts,
        'Name the output of each part in teacher.outputs: boxes, labels and scores.',
      );
    checkProbabilities(file, scores);
    const swapped = boxes.data.map((_, i) => boxes.data[i % 2 === 0 ? i + 1 : i - 1]!);
    return { boxes: order === 'yxyx' ? swapped : boxes.data, scores: scoresOfLabels(scores, labels, options) };
  },
};

/** True for `boxes`, and for names such as `detection_boxes:0`; TensorFlow calls labels classes. */
function isNamed(name: string, part: string): boolean {
  const plain = name.replace(/:\d+$/, '').replace(/^detection_/, '');
  return plain === part || (part === 'labels' && plain === 'classes');
}

/** Boxes by their four sides, labels by their integers. */
function told(outputs: readonly ModelValue[]): readonly (ModelValue | undefined)[] {
  const boxes = outputs.filter(({ shape }) => shape.at(-1) === 4 && shape.length > 1);
  const rest = outputs.filter((output) => !boxes.includes(output));
  const labels = rest.filter(({ dtype }) => dtype === 'int64' || dtype === 'int32');
  const scores = rest.filter((output) => !labels.includes(output));
  return [boxes, labels, scores].map((found) => (found.length === 1 ? found[0] : undefined));
}

/** The output of a picture without the axis of a batch of one. */
function withoutBatch({ name, data, shape }: Output, part: number): Output {
  const rank = part === 0 ? 2 : 1;
  return { name, data, shape: shape.length === rank + 1 && shape[0] === 1 ? shape.slice(1) : shape };
}
