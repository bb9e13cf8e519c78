import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { family, network } from './builder.ts';
import { integerList, real } from './options.ts';

/** Most and least units of the first hidden layer of a student for a table; the second has half as many. */
const [MOST, LEAST] = [256, 16];

export const mlp = family({
  doc: 'Fully connected layers with ReLU, for tables and small pictures.',
  options: {
    hidden: integerList(
      [256, 128],
      'Units of each hidden layer, first to last. Default of a student for a table: its number of inputs, rounded up to a power of two, and half of it.',
    ),
    width: real(1, 'Factor of the units of all hidden layers.', 0.01, 16),
    dropout: real(0, 'Share of the hidden units that is dropped in training.', 0, 0.9),
  },
  forStudent: (inputShape) => (inputShape.length === 1 ? { hidden: hiddenFor(inputShape[0]!) } : {}),
  build: ({ inputShape, classes, blocks }, { hidden, width, dropout }) => {
    const x = input({ shape: [...inputShape], name: 'input' });
    let y = inputShape.length === 1 ? x : (layers.flatten({ name: 'flatten' }).apply(x) as SymbolicTensor);
    hidden.forEach((units, i) => {
      const scaled = Math.max(1, Math.round(units * width));
      y = blocks.relu(blocks.dense(y, `dense${i + 1}`, scaled), `dense${i + 1}_relu`);
      y = blocks.dropout(y, `dense${i + 1}_dropout`, dropout);
    });
    return network('mlp', x, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
  },
});

/** Units of the hidden layers of a student, from the number of values in a row. */
function hiddenFor(numbers: number): readonly [number, number] {
  const units = Math.min(MOST, Math.max(LEAST, 2 ** Math.ceil(Math.log2(numbers))));
  return [units, units / 2];
}
